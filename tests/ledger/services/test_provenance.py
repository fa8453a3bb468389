"""Events know what brought them, for good, and nothing can be said about the events of others."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from ledger.domain.company import CompanyRef
from ledger.importers.csv_mapping import CsvChoices
from ledger.models.delivery import Delivery
from ledger.models.event import CapitalEvent
from ledger.models.provenance import Provenance
from ledger.selectors.audit import audit
from ledger.selectors.provenance import event_provenance, positions_brought
from ledger.services.deliveries import release_for_replay, work_on_delivery
from ledger.services.endpoints import OpenedEndpoint
from ledger.services.import_file import confirm_import, receive_file, run_import
from ledger.services.provenance import CameBy, keep_provenance
from ledger.services.record import record
from ledger.services.reverse import reverse
from tests.ledger.conftest import NOW, make_draft, open_company
from tests.ledger.providers.stripe_events import CREATED, charge, envelope, payout
from tests.ledger.services.test_deliveries import deliver, opened

SAMPLES = Path(__file__).parents[1] / "importers" / "samples"


@pytest.fixture
def stripe(company: CompanyRef) -> OpenedEndpoint:
    return opened(company)


def is_sound(company: CompanyRef) -> bool:
    return [finding.difference for finding in audit(companies=[company]) if finding.difference] == []


def counts(delivery: Delivery) -> dict[str, int | None]:
    delivery.refresh_from_db()
    names = ("items", "recorded", "corrected", "duplicate", "taken_back", "stated", "ignored", "rejected")
    return {name: value for name in names if (value := getattr(delivery, name))}


def replay(delivery: Delivery) -> str:
    assert release_for_replay(delivery_pk=delivery.pk, now=NOW)
    return work_on_delivery(delivery_pk=delivery.pk, clock=lambda: NOW)


def test_each_event_of_a_delivery_names_it_and_the_delivery_names_them(
    company: CompanyRef, stripe: OpenedEndpoint
) -> None:
    record(company_id=company.id, drafts=[make_draft()], actor="token:t", now=NOW)
    first = deliver(stripe, envelope("payout.paid", payout("paid")))
    second = deliver(stripe, envelope("payout.failed", payout("failed"), created=CREATED + 9))

    assert positions_brought(company_id=company.id, delivery_id=first.pk) == ((2, 3),)
    assert positions_brought(company_id=company.id, delivery_id=second.pk) == ((4, 5),)
    for position, delivery in ((2, first), (3, first), (4, second), (5, second)):
        found = event_provenance(company_id=company.id, position=position, with_content=False)
        assert found is not None
        assert found.delivery is not None
        assert (found.delivery.delivery_id, found.delivery.provider) == (delivery.pk, "stripe")
    assert event_provenance(company_id=company.id, position=1, with_content=True) is None
    assert event_provenance(company_id=company.id, position=6, with_content=True) is None
    assert (counts(first), counts(second)) == ({"items": 2, "recorded": 2}, {"items": 1, "taken_back": 1})
    assert is_sound(company)


def test_nobody_finds_what_another_company_was_sent(company: CompanyRef, stripe: OpenedEndpoint) -> None:
    delivery = deliver(stripe, envelope("charge.succeeded", charge()))
    other = open_company("umbrella")
    assert event_provenance(company_id=other.id, position=1, with_content=True) is None
    assert positions_brought(company_id=other.id, delivery_id=delivery.pk) == ()


def test_every_item_is_counted_once_over_all_readings(company: CompanyRef) -> None:
    endpoint = opened(company, "generic")
    line = {
        "source": "erp",
        "event_type": "expense",
        "amount": "4.50",
        "currency": "USD",
        "occurred_at": "2026-06-01T14:00:00Z",
    }
    plain = {**line, "amount": "7"}
    items: list[dict[str, Any]] = [
        {**line, "external_ref": "1"},
        {**line, "external_ref": "1"},
        {**line, "external_ref": "1", "amount": "5"},
        {**line, "external_ref": "2", "account": "purse"},
        plain,
    ]
    delivery = deliver(endpoint, json.dumps(items).encode())
    assert delivery.state == "quarantined"
    first = {"items": 5, "recorded": 2, "duplicate": 1, "rejected": 2}
    assert counts(delivery) == first
    assert replay(delivery) == "quarantined"
    # Both copies of a line are known to have been recorded by this delivery; the copy is no news either.
    assert counts(delivery) == {"items": 4, "recorded": 2, "rejected": 2}
    assert is_sound(company)


def test_what_a_later_reading_cannot_read_stays_counted(
    company: CompanyRef, stripe: OpenedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.services import deliveries

    delivery = deliver(stripe, envelope("charge.succeeded", charge()))

    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("a bug of ours")

    with monkeypatch.context() as patch:
        patch.setitem(deliveries.__dict__, "read_intake", broken)
        assert replay(delivery) == "quarantined"
    assert counts(delivery) == {"items": 2, "recorded": 1, "rejected": 1}
    assert is_sound(company)
    assert replay(delivery) == "done"
    assert counts(delivery) == {"items": 1, "recorded": 1}


def test_a_replay_that_corrects_adds_to_what_the_delivery_did(company: CompanyRef, stripe: OpenedEndpoint) -> None:
    ten = deliver(stripe, envelope("charge.updated", charge(amount=1000)))
    deliver(stripe, envelope("charge.updated", charge(amount=1100)))
    assert replay(ten) == "done"
    assert counts(ten) == {"items": 2, "recorded": 1, "corrected": 1}
    assert positions_brought(company_id=company.id, delivery_id=ten.pk) == ((1, 1), (4, 5))
    assert is_sound(company)


def test_an_overtaken_delivery_says_that_something_newer_is_known(
    company: CompanyRef, stripe: OpenedEndpoint
) -> None:
    deliver(stripe, envelope("charge.updated", charge(amount=1100), created=CREATED + 5))
    late = deliver(stripe, envelope("charge.updated", charge(amount=1000)))
    assert (late.state, late.reason) == ("done", "Something newer is known of 1 of it.")
    assert counts(late) == {"items": 1, "ignored": 1}
    ignored = deliver(stripe, envelope("customer.created", {"id": "cus_1"}))
    assert (ignored.state, counts(ignored)) == ("ignored", {"items": 1, "ignored": 1})
    unreadable = deliver(stripe, b"[]")
    assert (unreadable.state, counts(unreadable)) == ("quarantined", {"items": 1, "rejected": 1})
    assert is_sound(company)


def test_a_word_that_drops_a_part_of_its_object_is_counted_as_taking_it_back(
    company: CompanyRef, stripe: OpenedEndpoint
) -> None:
    deliver(stripe, envelope("payout.paid", payout("paid")))
    # A paid payout whose deposit another feed states since: only the leg at Stripe is said.
    pending = deliver(stripe, envelope("payout.updated", payout("pending"), created=CREATED + 9))
    assert counts(pending) == {"items": 1, "taken_back": 1}
    assert is_sound(company)


@pytest.mark.parametrize(("name", "events"), [("capstack.csv", 5), ("focus.csv", None)])
def test_events_of_a_file_name_it(company: CompanyRef, name: str, events: int | None) -> None:
    file_id = receive_file(
        company_id=company.id,
        name=name,
        stream=io.BytesIO((SAMPLES / name).read_bytes()),
        format_name="auto",
        account=None,
        choices=CsvChoices(),
        actor="page:theo@example.com",
        now=NOW,
    )
    assert run_import(file_id=file_id, clock=lambda: NOW) == "checked"
    assert not Provenance.objects.exists()
    confirm_import(file_id=file_id, actor="page:theo@example.com")
    assert run_import(file_id=file_id, clock=lambda: NOW) == "done"
    recorded = CapitalEvent.objects.count()
    assert recorded
    assert events is None or recorded == events
    for position in range(1, recorded + 1):
        found = event_provenance(company_id=company.id, position=position, with_content=False)
        assert found is not None
        assert found.file is not None
        assert (found.file.file_id, found.file.name) == (file_id, name)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_provenance SET last_position = last_position",
        "DELETE FROM ledger_provenance",
        "TRUNCATE ledger_provenance",
    ],
)
@pytest.mark.parametrize("replica", [False, True])
def test_it_cannot_be_changed(stripe: OpenedEndpoint, statement: str, replica: bool) -> None:
    deliver(stripe, envelope("charge.succeeded", charge()))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = %s", ["replica" if replica else "origin"])
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)


@pytest.mark.parametrize("positions", [[1], [1, 2], [1, 2, 3], [3, 4], [2]])
def test_nothing_is_said_about_events_that_are_not_the_last_or_have_theirs(
    company: CompanyRef, stripe: OpenedEndpoint, positions: list[int]
) -> None:
    delivery = deliver(stripe, envelope("charge.succeeded", charge()))
    outcomes = record(
        company_id=company.id, drafts=[make_draft(), make_draft(external_ref="2")], actor="t", now=NOW
    )
    assert [outcome.position for outcome in outcomes] == [2, 3]
    came_by = CameBy(delivery_id=delivery.pk)
    with pytest.raises(DatabaseError, match="not those of the last events"), transaction.atomic():
        keep_provenance(company_id=company.id, positions=positions, came_by=came_by)
    keep_provenance(company_id=company.id, positions=[2, 3], came_by=came_by)


def test_a_gap_among_positions_is_an_error_of_the_caller(company: CompanyRef) -> None:
    with pytest.raises(AssertionError, match="in a row"):
        keep_provenance(company_id=company.id, positions=[1, 3], came_by=CameBy(delivery_id=1))


def test_a_reversal_by_hand_has_no_provenance(company: CompanyRef, stripe: OpenedEndpoint) -> None:
    deliver(stripe, envelope("charge.succeeded", charge()))
    event_id = bytes(CapitalEvent.objects.get().event_id).hex()
    reverse(company_id=company.id, event_id=event_id, reason="no", actor="page:cfo@example.com", now=NOW)
    assert event_provenance(company_id=company.id, position=2, with_content=True) is None
    assert is_sound(company)
