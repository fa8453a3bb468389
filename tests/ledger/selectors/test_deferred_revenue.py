"""Deferred revenue out of the journal: contracts paid ahead, refunds, reversals."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from ledger.domain.company import CompanyRef
from ledger.domain.intake import ServicePeriod
from ledger.domain.recognition import unearned_curve
from ledger.selectors.deferred_revenue import DeferredRevenue, deferred_revenue
from ledger.selectors.owed_revenue import owed_revenue
from ledger.services.daily_flows import catch_up
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.service_periods import state_service_periods
from tests.ledger.conftest import NOW, make_draft, open_company

pytestmark = pytest.mark.django_db

FEB_1, MARCH_1 = date(2026, 2, 1), date(2026, 3, 1)


def book(company: CompanyRef, **changes: object) -> str:
    (outcome,) = record(
        company_id=company.id, drafts=[make_draft(**changes)], actor="t", now=NOW, create_accounts=True
    )
    assert outcome.status == "recorded", outcome
    return outcome.event_id


def contract(company: CompanyRef, amount: str = "1200", *, day: str = "2026-02-01", **changes: object) -> str:
    metadata = {"contract": "C-1", "term_months": 12, "deferred": True}
    return book(
        company,
        **{
            "event_type": "income",
            "amount": amount,
            "occurred_at": f"{day}T16:00:00Z",
            "counterparty": "Northwind",
            "external_ref": "inv-1",
            "metadata": metadata,
            **changes,
        },
    )


def owed(company: CompanyRef, start: date, end: date) -> DeferredRevenue:
    catch_up(company_id=company.id)
    asked: dict[str, Any] = {"company_id": company.id, "timezone": company.timezone, "end": end}
    found = deferred_revenue(**asked, start=start)
    # Whoever asks for what is owed alone is told the same, from whatever day on.
    for first in {start, max(start, end - timedelta(days=20)), max(start, end - timedelta(days=1))}:
        if first < end:
            told_alone(found, asked, first)
    return found


def told_alone(found: DeferredRevenue, asked: dict[str, Any], first: date) -> None:
    """Hold what is owed alone to the same read payment by payment."""
    alone = owed_revenue(**asked, start=first)
    assert alone.unearned == found.unearned[(first - found.days[0]).days :]
    assert alone.in_credit == found.in_credit[(first - found.days[0]).days :]
    left = [payment.deferred for payment in found.payments if payment.unearned]
    last = max((term.term.end for term in left), default=asked["end"])
    curve = unearned_curve(left, start=found.days[-1], end=max(last, asked["end"]))
    assert alone.release == tuple(before - then for before, then in pairwise(curve))


def on(found: DeferredRevenue, day: date) -> Decimal:
    return found.unearned[found.days.index(day)]


def test_a_contract_is_earned_by_the_day_from_its_payment_on(company: CompanyRef) -> None:
    contract(company, "365")
    found = owed(company, date(2026, 1, 30), date(2027, 2, 3))
    assert on(found, date(2026, 1, 31)) == 0
    assert on(found, FEB_1) == 364
    assert on(found, date(2026, 2, 28)) == 365 - 28
    assert on(found, date(2027, 1, 31)) == on(found, date(2027, 2, 2)) == 0
    assert sum(found.earned) == 365
    assert set(found.earned) == {Decimal(0), Decimal(1)}
    (payment,) = found.payments
    assert (payment.customer, payment.deferred.term.end) == ("Northwind", date(2027, 2, 1))


def test_a_day_is_one_of_the_company(company: CompanyRef) -> None:
    # Late on the last of January in New York.
    contract(company, "365", occurred_at="2026-02-01T03:00:00Z")
    assert on(owed(company, date(2026, 1, 30), MARCH_1), date(2026, 1, 31)) == 364


def test_an_income_that_is_not_deferred_is_ours_at_once(company: CompanyRef) -> None:
    contract(company, metadata={"contract": "C-1", "term_months": 12})
    book(company, event_type="income", external_ref="inv-2")
    found = owed(company, FEB_1, MARCH_1)
    assert set(found.unearned) == {Decimal(0)}
    assert found.payments == ()


def test_a_reversed_payment_is_owed_no_more(company: CompanyRef) -> None:
    event_id = contract(company)
    assert on(owed(company, FEB_1, MARCH_1), FEB_1) > 0
    reverse(company_id=company.id, event_id=event_id, reason="bounced", actor="t", now=NOW)
    assert set(owed(company, FEB_1, MARCH_1).unearned) == {Decimal(0)}


def test_a_refund_reduces_what_is_owed_until_it_is_reversed(company: CompanyRef) -> None:
    contract(company, "365")
    refund = book(
        company,
        amount="100",
        category="refund",
        occurred_at="2026-02-11T16:00:00Z",
        external_ref="re-1",
        metadata={"refund_of": "inv-1"},
    )
    found = owed(company, FEB_1, MARCH_1)
    assert on(found, date(2026, 2, 10)) == 355
    assert on(found, date(2026, 2, 11)) == 254
    assert sum(found.earned) + found.unearned[-1] == 265
    reverse(company_id=company.id, event_id=refund, reason="failed", actor="t", now=NOW)
    assert on(owed(company, FEB_1, MARCH_1), date(2026, 2, 11)) == 354


def test_a_refund_of_another_payment_changes_nothing(company: CompanyRef) -> None:
    contract(company, "365")
    for number, changes in enumerate(({"metadata": {"refund_of": "inv-9"}}, {"source": "other"})):
        book(
            company,
            **{
                "amount": "100",
                "occurred_at": "2026-02-11T16:00:00Z",
                "external_ref": f"re-{number}",
                "metadata": {"refund_of": "inv-1"},
                **changes,
            },
        )
    assert on(owed(company, FEB_1, MARCH_1), date(2026, 2, 11)) == 354


def test_what_is_owed_in_service_keeps_the_rate_of_the_payment(company: CompanyRef) -> None:
    from ledger.selectors.fx import rate

    contract(company, "365", currency="EUR")
    paid_at = rate(currency="EUR", base="USD", on=FEB_1).rate
    assert on(owed(company, FEB_1, MARCH_1), FEB_1) == pytest.approx(364 * paid_at, abs=Decimal("0.001"))


def test_another_companys_contracts_are_not_seen(company: CompanyRef) -> None:
    contract(company)
    assert owed(open_company("other"), FEB_1, MARCH_1).payments == ()


def test_no_days_are_no_days(company: CompanyRef) -> None:
    assert owed(company, MARCH_1, FEB_1).days == ()


def period(company: CompanyRef, amount: str, start: date, end: date, **changes: object) -> None:
    stated = {
        "source": "bank-feed",
        "external_ref": "inv-1",
        "line": "1",
        "amount": Decimal(amount),
        "currency": "USD",
        "start": start,
        "end": end,
        **changes,
    }
    state_service_periods(
        company_id=company.id,
        periods=[ServicePeriod(**stated)],  # type: ignore[arg-type]
        actor="t",
        now=NOW,
    )


def income(company: CompanyRef, amount: str, **changes: object) -> str:
    return book(
        company,
        **{
            "event_type": "income",
            "amount": amount,
            "occurred_at": "2026-02-01T16:00:00Z",
            "external_ref": "inv-1",
            **changes,
        },
    )


def test_a_stated_period_counts_whether_it_is_said_before_or_after_the_payment(company: CompanyRef) -> None:
    period(company, "28", FEB_1, MARCH_1)
    assert owed(company, FEB_1, MARCH_1).payments == ()
    income(company, "100")
    found = owed(company, FEB_1, MARCH_1)
    # 28 of the 100 are for February, the rest is no service over time.
    assert on(found, FEB_1) == 27
    assert sum(found.earned) == 28


def test_lines_of_an_invoice_are_periods_of_their_own(company: CompanyRef) -> None:
    income(company, "387")
    period(company, "28", FEB_1, MARCH_1)
    period(company, "359", date(2026, 2, 7), date(2027, 2, 1), line="2")
    found = owed(company, FEB_1, date(2026, 3, 2))
    assert on(found, FEB_1) == 27 + 359
    assert on(found, date(2026, 2, 7)) == 21 + 358
    assert on(found, MARCH_1) == 359 - 23


def test_the_period_said_last_counts_and_zero_takes_it_back(company: CompanyRef) -> None:
    income(company, "100")
    period(company, "28", FEB_1, MARCH_1)
    period(company, "56", FEB_1, MARCH_1)
    assert on(owed(company, FEB_1, MARCH_1), FEB_1) == 54
    period(company, "0", FEB_1, MARCH_1)
    assert owed(company, FEB_1, MARCH_1).payments == ()


def test_a_stated_period_goes_before_what_the_contract_implies(company: CompanyRef) -> None:
    contract(company, "28")
    period(company, "28", FEB_1, MARCH_1)
    assert on(owed(company, FEB_1, MARCH_1), FEB_1) == 27


def test_periods_that_claim_more_than_was_paid_share_what_was_paid(company: CompanyRef) -> None:
    income(company, "56")
    period(company, "56", FEB_1, MARCH_1)
    period(company, "56", FEB_1, MARCH_1, line="2")
    found = owed(company, date(2026, 1, 31), MARCH_1)
    assert on(found, FEB_1) == 54
    assert sum(found.earned) == 56


def test_a_refund_of_part_of_a_payment_takes_the_same_part_of_its_periods(company: CompanyRef) -> None:
    income(company, "56")
    period(company, "28", FEB_1, MARCH_1)
    book(
        company,
        amount="14",
        occurred_at="2026-02-08T16:00:00Z",
        external_ref="re-1",
        metadata={"refund_of": "inv-1"},
    )
    assert on(owed(company, FEB_1, MARCH_1), date(2026, 2, 8)) == 20 - 7


def test_periods_of_a_payment_taken_back_count_no_more(company: CompanyRef) -> None:
    event_id = income(company, "28")
    period(company, "28", FEB_1, MARCH_1)
    reverse(company_id=company.id, event_id=event_id, reason="bounced", actor="t", now=NOW)
    assert owed(company, FEB_1, MARCH_1).payments == ()
    period(open_company("other"), "28", FEB_1, MARCH_1)
    assert owed(company, FEB_1, MARCH_1).payments == ()


def test_a_contract_whose_stated_period_is_over_owes_nothing(company: CompanyRef) -> None:
    """What was stated of it goes before its twelve months, also for who asks for what is owed alone."""
    contract(company, "280")
    period = ServicePeriod("bank-feed", "inv-1", "", Decimal(280), "USD", FEB_1, MARCH_1)
    state_service_periods(company_id=company.id, periods=[period], actor="t", now=NOW)
    assert on(owed(company, FEB_1, date(2026, 6, 1)), date(2026, 5, 31)) == 0
