"""Free cash is what the ledger says is owed, day by day; by hand arithmetic, and as known on past days."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forecasting import engine
from forecasting.fit.company import fit_company
from forecasting.models.run import ForecastRun
from forecasting.services.history import gather_history, history_digests
from forecasting.services.publish import publish_forecast
from forecasting.services.replay import replay
from forecasting.services.reproduction import reproduce
from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.domain.intake import ServicePeriod
from ledger.selectors.company_books import company_books
from ledger.selectors.liabilities import liabilities
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.service_periods import state_service_period
from tests.forecasting.small_company import AS_OF, NOW, small_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]
DAY = timedelta(days=1)


def book(company: CompanyRef, *, now: Any = NOW, **changes: Any) -> str:
    raw = {
        "source": "stripe",
        "event_type": "income",
        "amount": "3650.00",
        "currency": "USD",
        "occurred_at": f"{AS_OF}T12:00:00-04:00",
        "category": "revenue",
        "counterparty": "Northwind",
        "external_ref": "ch-1",
        **changes,
    }
    (outcome,) = record(company_id=company.id, drafts=[parse_event(raw, now=now)], actor="t", now=now)
    assert outcome.status == "recorded"
    return outcome.event_id


def year_paid_ahead(company: CompanyRef, *, now: Any = NOW, ref: str = "ch-1") -> str:
    """3,650 USD on the as-of date for the 365 days from that day on: ten a day."""
    event_id = book(company, external_ref=ref, now=now)
    say(company, ref=ref, now=now)
    return event_id


def say(company: CompanyRef, *, ref: str = "ch-1", now: Any = NOW, amount: str = "3650") -> None:
    state_service_period(
        company_id=company.id,
        period=ServicePeriod(
            source="stripe",
            external_ref=ref,
            line="il-1",
            amount=Decimal(amount),
            currency="USD",
            start=AS_OF,
            end=AS_OF + timedelta(days=365),
        ),
        actor="t",
        now=now,
    )


def tax_announced(company: CompanyRef) -> None:
    for line, amount in (("employee_taxes", "3000.00"), ("employer_taxes", "900.00")):
        book(
            company,
            event_type="expense",
            amount=amount,
            category="payroll_tax",
            counterparty="IRS",
            occurred_at="2026-04-03T12:00:00-04:00",
            external_ref=line,
            source="payroll",
            metadata={"line": line, "check_date": "2026-03-28"},
        )


def deposit(company: CompanyRef) -> None:
    book(
        company,
        event_type="adjustment",
        direction="in",
        amount="500.00",
        category="customer_deposit",
        external_ref="d",
        occurred_at=f"{AS_OF - 10 * DAY}T12:00:00-04:00",
    )


def openings(company: CompanyRef, *, now: Any = NOW) -> tuple[ForecastRun, Decimal]:
    made = publish_forecast(company_id=company.id, now=now)
    free, bank = (ForecastRun.objects.get(id=number) for number in (made.free_run_id, made.bank_run_id))
    return free, Decimal(bank.result["balance"]) - Decimal(free.result["balance"])


def test_free_cash_is_without_what_the_ledger_says_is_owed_and_gets_it_back_by_the_day() -> None:
    company = small_company()
    year_paid_ahead(company)
    tax_announced(company)
    deposit(company)
    gathered = gather_history(company=company, now=NOW)
    stated = gathered.history.liabilities
    assert stated is not None
    # The first of 365 days is over; the rest comes at ten a day.
    assert (stated.unearned, stated.deposits, stated.in_credit) == (3640, 500, 0)
    assert stated.release == (Decimal(10),) * 364
    assert [(tax.day, tax.amount, tax.is_withheld) for tax in stated.taxes] == [
        (date(2026, 4, 3), 900, False),
        (date(2026, 4, 3), 3000, True),
    ]
    # The deposit came ten days before, the money for the year on the last day.
    assert stated.owed_before[-12:] == (0, *[500] * 10, 4140)
    _, owed = openings(company)
    assert owed == 3640 + 500 + 3000
    books = company_books(company=company, day=AS_OF)
    assert owed == books.cash - books.free


def test_both_bases_walk_the_same_paths_but_for_what_is_owed() -> None:
    """The medians on a day differ by what is still unearned then, once the tax has left."""
    company = small_company(plan=None)
    year_paid_ahead(company)
    tax_announced(company)
    history = gather_history(company=company, now=NOW).history
    # Customers stop paying: else they would go on paying ahead.
    fitted = replace(fit_company(history), sales=None, invoiced=None)
    lines = {
        basis: dict(zip(made.bands.days, made.bands.p50, strict=True))
        for basis in ("free", "bank")
        for made in [engine.forecast(history, company=fitted, basis=basis, paths=500, horizon_days=200)]  # type: ignore[arg-type]
    }
    apart = {day: lines["bank"][day] - lines["free"][day] for day in lines["bank"]}
    # Single precision keeps a cent or two of such balances.
    assert {day: apart[day] for day in (1, 2)} == {
        1: pytest.approx(6630, abs=0.1),
        2: pytest.approx(6620, abs=0.1),
    }
    assert all(apart[day] == pytest.approx(3640 - 10 * day, abs=0.1) for day in (3, 50, 200))


def test_a_ledger_that_states_nothing_is_asked_one_question_and_changes_no_digest() -> None:
    company = small_company()
    gathered = gather_history(company=company, now=NOW)
    assert gathered.history.liabilities is None
    assert "liabilities" not in gathered.parts
    with CaptureQueriesContext(connection) as asked:
        assert liabilities(company_id=company.id, timezone=company.timezone, at=AS_OF, days=121) is None
    assert len(asked) == 1


def test_what_another_company_states_is_not_ours() -> None:
    company, other = small_company(), small_company("other")
    year_paid_ahead(other)
    deposit(other)
    tax_announced(other)
    assert gather_history(company=company, now=NOW).history.liabilities is None


def test_a_run_is_reproduced_with_what_was_owed_then() -> None:
    company = small_company()
    event_id = year_paid_ahead(company)
    tax_announced(company)
    first, owed = openings(company)
    assert owed == 6640
    say(company, amount="1825", now=NOW + timedelta(minutes=10))
    second, less = openings(company, now=NOW + timedelta(minutes=20))
    assert less == 1820 + 3000
    reverse(company_id=company.id, event_id=event_id, reason="bounced", actor="t", now=NOW + timedelta(hours=1))
    third, none = openings(company, now=NOW + timedelta(hours=2))
    assert none == 3000
    for run in (first, second, third):
        answer = reproduce(run_id=run.pk)
        assert (answer.difference, answer.same_inputs) == ("", True)


def test_a_replay_knows_periods_and_reversals_of_then_alone() -> None:
    company = small_company()
    event_id = year_paid_ahead(company)
    openings(company)
    late = NOW + 3 * DAY
    reverse(company_id=company.id, event_id=event_id, reason="bounced", actor="t", now=late)
    year_paid_ahead(company, now=late, ref="ch-2")
    say(company, amount="1", now=late)
    again = replay(company=company, day=NOW.date(), now=NOW + 9 * DAY)
    assert again.differs == ""
    stated = again.gathered.history.liabilities
    assert stated is not None
    assert stated.unearned == 3640


def test_a_run_of_before_liabilities_were_read_is_still_reproduced() -> None:
    company = small_company()
    book(company)
    run, _ = openings(company)
    assert "liabilities" not in run.history_parts
    # Read later, as of the same instant: the run had not asked for it.
    say(company, now=NOW - DAY)
    assert reproduce(run_id=run.pk).is_equal


def test_the_digest_tells_what_is_owed() -> None:
    company = small_company()
    year_paid_ahead(company)
    gathered = gather_history(company=company, now=NOW)
    assert gathered.digest == history_digests(gathered.history, plan=gathered.plan)[0]
    say(company, amount="365")
    assert gather_history(company=company, now=NOW).digest != gathered.digest
