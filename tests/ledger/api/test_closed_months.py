"""A closed month over the API: 422 that names field and month; in bulk and in files, the item or the line."""

import io
import json
from datetime import date

import pytest
from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.services.closed_months import close_month
from ledger.services.import_events import import_events
from tests.ledger.api.conftest import BULK, ApiClient, problem
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db

OPEN, CLOSED = "2026-04-10T12:00:00Z", "2026-05-10T12:00:00Z"


def event(occurred_at: str) -> dict[str, str]:
    return {
        "source": "card",
        "event_type": "expense",
        "amount": "4.50",
        "currency": "USD",
        "occurred_at": occurred_at,
        "external_ref": occurred_at,
    }


@pytest.fixture(autouse=True)
def _may_is_closed(company: CompanyRef) -> None:
    close_month(company_id=company.id, month=date(2026, 5, 1), reason="reported", actor="a", now=NOW)


def test_a_single_event_is_refused_with_the_field_and_the_month(api: ApiClient) -> None:
    errors = problem(api.post("/api/v1/events", event(CLOSED)), 422)
    assert errors["occurred_at"].startswith("lies in 2026-05, which is closed")
    assert api.post("/api/v1/events", event(OPEN)).status_code == 201
    assert CapitalEvent.objects.count() == 1


def test_a_caller_who_is_remembered_is_refused_too(api: ApiClient, company: CompanyRef) -> None:
    assert api.post("/api/v1/events", event(OPEN)).status_code == 201
    with connection.cursor() as cursor:
        # The request has committed; here it is only a part of the test's transaction.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    close_month(company_id=company.id, month=date(2026, 4, 1), reason="reported", actor="a", now=NOW)
    errors = problem(api.post("/api/v1/events", event("2026-04-11T12:00:00Z")), 422)
    assert "2026-04" in errors["occurred_at"]
    # What the month holds already is still a duplicate.
    assert api.post("/api/v1/events", event(OPEN)).status_code == 200


def test_in_bulk_the_item_is_rejected_and_the_others_are_recorded(api: ApiClient) -> None:
    said = json.loads(api.post(BULK, [event(OPEN), event(CLOSED), event("2026-06-01T00:00:00-04:00")]).content)
    assert (said["recorded"], [item["index"] for item in said["rejected"]]) == (2, [1])
    assert (said["rejected"][0]["field"], "2026-05" in said["rejected"][0]["message"]) == ("occurred_at", True)


def test_an_import_reports_the_line(company: CompanyRef) -> None:
    file = io.BytesIO("\n".join(json.dumps(event(day)) for day in (OPEN, CLOSED)).encode())
    report = import_events(company=company, stream=file, actor="import", now=NOW)
    assert (report.recorded, report.rejected_lines) == (1, 1)
    assert [(found.line, found.field, "2026-05" in found.message) for found in report.rejected] == [
        (2, "occurred_at", True)
    ]
