"""A plan is kept version by version, and its balances and grants stand in the ledger."""

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from forecasting.fit.plan import InvalidPlan
from forecasting.models.plan import Plan
from forecasting.selectors.plans import plan_in_force
from forecasting.services.plans import BalanceDifference, record_plan
from forecasting.signals import plan_recorded
from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.selectors.balances import cash_by_currency, credit_grants
from ledger.services.companies import create_company
from ledger.services.daily_flows import catch_up
from ledger.services.record import record

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
PLAN: dict[str, Any] = {
    "company": "acme",
    "base_currency": "USD",
    "as_of": "2026-03-31",
    "history_start": "2026-03-01",
    "opening_balance": {"USD": "900.00", "EUR": "50.00"},
    "history_opening_balance": {"USD": "1000.00", "EUR": "50.00"},
    "cloud_credits": [{"provider": "aws", "remaining": "300.00", "expires": "2026-06-30"}],
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> CompanyRef:
    return create_company(slug="acme", name="Acme", currency="USD", timezone="America/New_York", now=NOW)


def changed(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(PLAN) | changes


def spend(company: CompanyRef, amount: str, occurred_at: str) -> None:
    raw = {
        "source": "bank",
        "event_type": "expense",
        "amount": amount,
        "currency": "USD",
        "occurred_at": occurred_at,
    }
    outcomes = record(company_id=company.id, drafts=[parse_event(raw, now=NOW)], actor="test", now=NOW)
    assert outcomes[0].status == "recorded"


def load(company: CompanyRef, plan: dict[str, Any]) -> Any:
    return record_plan(company_id=company.id, raw=plan, actor="test", now=NOW)


def test_balances_and_grants_become_statements_of_the_ledger(company: CompanyRef) -> None:
    loaded = load(company, PLAN)
    assert (loaded.status, loaded.version, loaded.balances, loaded.grants) == ("recorded", 1, 4, 1)
    catch_up(company_id=company.id)
    at_end = cash_by_currency(company_id=company.id, at=date(2026, 3, 31))
    before_history = cash_by_currency(company_id=company.id, at=date(2026, 2, 28))
    assert (at_end["USD"], before_history["USD"]) == (Decimal(900), Decimal(1000))
    (grant,) = credit_grants(company_id=company.id, at=date(2026, 3, 31))
    assert (grant.provider, grant.remaining, grant.expires_on) == ("aws", Decimal(300), date(2026, 6, 30))


def test_the_same_plan_again_is_unchanged(company: CompanyRef) -> None:
    load(company, PLAN)
    again = load(company, dict(reversed(PLAN.items())))
    assert (again.status, again.version) == ("unchanged", 1)
    assert Plan.objects.count() == 1


def test_another_plan_is_the_next_version_and_the_first_stays(company: CompanyRef) -> None:
    load(company, PLAN)
    assert load(company, changed(opening_balance={"USD": "800.00"})).version == 2
    assert list(Plan.objects.order_by("version").values_list("version", flat=True)) == [1, 2]
    in_force = plan_in_force(company_id=company.id)
    assert in_force is not None
    assert in_force.document.opening_balance == {"USD": Decimal("800.00")}


def test_what_a_new_version_no_longer_says_no_longer_stands(company: CompanyRef) -> None:
    load(company, PLAN)
    load(company, changed(opening_balance={"USD": "900.00"}, cloud_credits=[]))
    cash = cash_by_currency(company_id=company.id, at=date(2026, 3, 31))
    assert cash == {"USD": Decimal(900), "EUR": Decimal(0)}
    assert credit_grants(company_id=company.id, at=date(2026, 3, 31)) == ()


def test_going_back_to_an_earlier_plan_is_a_new_version_with_its_balances(company: CompanyRef) -> None:
    load(company, PLAN)
    load(company, changed(opening_balance={"USD": "1.00"}))
    assert load(company, PLAN).version == 3
    assert cash_by_currency(company_id=company.id, at=date(2026, 3, 31))["USD"] == Decimal(900)


def test_a_grant_that_a_later_plan_drops_is_gone_from_that_day_on(company: CompanyRef) -> None:
    load(company, PLAN)
    later = datetime(2026, 4, 10, tzinfo=UTC)
    plan = changed(as_of="2026-04-09", cloud_credits=[])
    record_plan(company_id=company.id, raw=plan, actor="test", now=later)
    assert len(credit_grants(company_id=company.id, at=date(2026, 4, 8))) == 1
    assert credit_grants(company_id=company.id, at=date(2026, 4, 9)) == ()


def test_a_balance_that_the_events_do_not_lead_to_is_reported(company: CompanyRef) -> None:
    spend(company, "60.00", "2026-03-10T12:00:00-05:00")
    assert load(company, PLAN).differences == (
        BalanceDifference("USD", Decimal("900.00"), Decimal("940.00"), Decimal("-40.00")),
    )


def test_a_balance_that_the_events_lead_to_is_not_reported(company: CompanyRef) -> None:
    spend(company, "100.00", "2026-03-10T12:00:00-05:00")
    spend(company, "7.00", "2026-02-10T12:00:00-05:00")
    spend(company, "8.00", "2026-04-01T12:00:00-04:00")
    assert load(company, PLAN).differences == ()


def test_the_company_that_is_asked_for_wins_over_the_one_in_the_file_and_that_is_said(company: CompanyRef) -> None:
    (warning,) = load(company, changed(company="other")).warnings
    assert "other" in warning
    assert "acme" in warning


def test_an_as_of_in_the_future_is_a_warning(company: CompanyRef) -> None:
    (warning,) = load(company, changed(as_of="2026-04-02")).warnings
    assert "future" in warning


@pytest.mark.parametrize(
    ("plan", "path"),
    [
        (changed(tranche=[]), "tranche"),
        (changed(base_currency="EUR"), "base_currency"),
        ({"company": "acme"}, "as_of"),
        ({"as_of": "2026-03-31", "history_opening_balance": {"USD": "1.00"}}, "history_start"),
        (changed(cloud_credits=PLAN["cloud_credits"] * 2), "cloud_credits[1]"),
        (changed(cloud_credits=[PLAN["cloud_credits"][0] | {"provider": "x" * 65}]), "cloud_credits[0].provider"),
        ([], "$"),
    ],
    ids=[
        "unknown key",
        "other currency",
        "no as_of",
        "no history_start",
        "same grant twice",
        "long provider",
        "list",
    ],
)
def test_it_refuses_and_names_the_path(company: CompanyRef, plan: Any, path: str) -> None:
    with pytest.raises(InvalidPlan) as refusal:
        load(company, plan)
    assert path in {problem.path for problem in refusal.value.problems}
    assert not Plan.objects.exists()


def test_rates_survive_storage_digit_by_digit(company: CompanyRef) -> None:
    load(company, changed(fx={"EUR": 1.05261, "GBP": "1.22257123456789012345"}))
    in_force = plan_in_force(company_id=company.id)
    assert in_force is not None
    assert in_force.document.fx == {"EUR": Decimal("1.05261"), "GBP": Decimal("1.22257123456789012345")}


def test_it_announces_a_new_version_after_the_commit_only(
    company: CompanyRef, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[int] = []

    def hear(*, company_id: int, version: int, **_: Any) -> None:
        heard.append(version)

    plan_recorded.connect(hear)
    try:
        with django_capture_on_commit_callbacks() as callbacks:
            load(company, PLAN)
        assert heard == []
        for callback in callbacks:
            callback()
        assert heard == [1]
    finally:
        plan_recorded.disconnect(hear)


@pytest.mark.parametrize("statement", ["UPDATE forecasting_plan SET actor = 'x'", "DELETE FROM forecasting_plan"])
def test_the_database_refuses_to_change_a_recorded_plan(company: CompanyRef, statement: str) -> None:
    load(company, PLAN)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_plan_of_a_past_day_is_the_newest_that_stood_by_then(company: CompanyRef) -> None:
    load(company, changed(as_of="2026-03-10"))
    load(company, PLAN)
    past = plan_in_force(company_id=company.id, on=date(2026, 3, 20))
    assert past is not None
    assert past.version == 1
    assert plan_in_force(company_id=company.id, on=date(2026, 3, 9)) is None
