"""What is owed alone is what payment by payment says is owed, to the last digit, and is read as sums."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.domain.intake import CreditedLine, CreditNote, ServicePeriod
from ledger.selectors.deferred_revenue import deferred_revenue
from ledger.selectors.earning_periods import contract_periods, periods_told_of_more
from ledger.selectors.owed_revenue import owed_revenue
from ledger.selectors.term_cohorts import term_cohorts
from ledger.services.credit_notes import state_credit_note
from ledger.services.daily_flows import catch_up
from ledger.services.record import record
from ledger.services.service_periods import state_service_periods
from tests.ledger.conftest import NOW, open_company
from tests.ledger.selectors.test_deferred_revenue import told_alone

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2026, 1, 1), date(2026, 5, 1)
DAYS = (LAST - FIRST).days
AMOUNTS = st.decimals(min_value=Decimal("0.01"), max_value=100_000, places=6)
LINES = st.lists(st.tuples(AMOUNTS, st.integers(-40, 60), st.sampled_from((1, 3, 7, 30, 365))), max_size=3)
PAYMENTS = st.fixed_dictionaries(
    {
        "amount": AMOUNTS,
        "currency": st.sampled_from(("USD", "EUR", "JPY")),
        "day": st.integers(0, DAYS - 1),
        "lines": LINES,
        # A line said anew, which may take it back or let it end otherwise.
        "again": st.none() | st.tuples(st.just(0) | AMOUNTS, st.integers(-40, 60), st.sampled_from((1, 30))),
        "more": st.sampled_from(("", "", "", "refund", "note", "contract", "elsewhere")),
    }
)


def tell(company: CompanyRef, number: int, told: dict[str, Any]) -> None:
    """Record a payment as `ch-number` and state its lines."""
    day, reference = FIRST + timedelta(days=told["day"]), f"ch-{number}"
    income = raw(f"{day}T16:00:00Z", reference, event_type="income", amount=str(told["amount"]))
    income |= {"currency": told["currency"]}
    if told["more"] == "contract":
        income |= {"metadata": {"contract": "C", "term_months": 6, "deferred": True}}
    events = [income]
    if told["more"] == "refund":
        when = f"{day + timedelta(days=9)}T16:00:00Z"
        events.append(
            raw(when, f"re-{number}", metadata={"refund_of": reference}) | {"currency": told["currency"]}
        )
    if told["more"] == "elsewhere":
        # The same name, in another account: the lines are of both.
        events.append(income | {"account": "second", "amount": "77.77"})
    record(
        company_id=company.id,
        drafts=[parse_event(each, now=NOW) for each in events],
        actor="t",
        now=NOW,
        create_accounts=True,
    )
    lines = [(str(place), *line) for place, line in enumerate(told["lines"])]
    again = [("0", *told["again"])] if lines and told["again"] else []
    for line, amount, begins, length in [*lines, *again]:
        start = day + timedelta(days=begins)
        period = ServicePeriod(
            "bank-feed",
            reference,
            line,
            Decimal(amount),
            told["currency"],
            start,
            start + timedelta(days=length),
            f"in-{number}",
        )
        state_service_periods(company_id=company.id, periods=[period], actor="t", now=NOW)
    if told["more"] == "note" and lines:
        note = CreditNote(
            source="bank-feed",
            external_ref=f"cn-{number}",
            document=f"in-{number}",
            currency=told["currency"],
            day=day + timedelta(days=5),
            lines=(CreditedLine("", Decimal("0.01")),),
            out_of_band=Decimal("0.01"),
        )
        state_credit_note(company_id=company.id, note=note, actor="t", now=NOW)


def raw(when: str, reference: str, **changes: Any) -> dict[str, Any]:
    return {
        "source": "bank-feed",
        "event_type": "expense",
        "amount": "0.01",
        "currency": "USD",
        "occurred_at": when,
        "external_ref": reference,
        **changes,
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PAYMENTS, min_size=1, max_size=6), st.integers(0, DAYS - 1))
def test_whatever_is_told_what_is_owed_alone_is_the_same_to_the_last_digit(
    company: CompanyRef, payments: list[dict[str, Any]], asked_after: int
) -> None:
    with transaction.atomic():
        for number, told in enumerate(payments):
            tell(company, number, told)
        catch_up(company_id=company.id)
        asked: dict[str, Any] = {"company_id": company.id, "timezone": company.timezone, "end": LAST}
        first = FIRST + timedelta(days=asked_after)
        found = deferred_revenue(**asked, start=first)
        told_alone(found, asked, first)
        # The zeros behind the point too: a digest of a forecast's history is made of the text.
        assert str(owed_revenue(**asked, start=first).unearned) == str(found.unearned)
        transaction.set_rollback(True)


def plain(amount: str, *lines: tuple[str, int], day: int = 0, more: str = "") -> dict[str, Any]:
    return {
        "amount": amount,
        "currency": "USD",
        "day": day,
        "lines": [(Decimal(part), 0, length) for part, length in lines],
        "again": None,
        "more": more,
    }


def read(company: CompanyRef) -> tuple[list[tuple[Decimal, Decimal]], list[str]]:
    """Return (amount, per day) of the cohorts, and the payments that are read one by one."""
    catch_up(company_id=company.id)
    values = {"company": company.id, "timezone": company.timezone, "before": LAST}
    contracts = contract_periods(values)
    cohorts = term_cohorts(values, contracts=contracts, ending_after=FIRST)
    told = periods_told_of_more(values, contracts=contracts)
    return [(cohort.amount, cohort.per_day) for cohort in cohorts], [
        period.payment.external_ref for period in told
    ]


def test_payments_of_the_same_days_are_one_sum_each_rounded_by_itself(company: CompanyRef) -> None:
    for number in range(5):
        tell(company, number, plain("0.10", ("0.10", 30)))
    # A thirtieth of ten cents is 0.003333: five of them, and not a thirtieth of fifty cents.
    assert read(company) == ([(Decimal("0.50"), Decimal("0.016665"))], [])


def test_half_a_millionth_is_rounded_to_the_even_one(company: CompanyRef) -> None:
    """Lines that claim twice what was paid: half of 0.000003 is 0.000002, and of 0.000005 too."""
    tell(company, 0, plain("0.000004", ("0.000003", 1), ("0.000005", 2)))
    cohorts, _ = read(company)
    assert sorted(amount for amount, _ in cohorts) == [Decimal("0.000002"), Decimal("0.000002")]


@pytest.mark.parametrize("more", ["refund", "note", "contract"])
def test_a_payment_of_which_more_is_told_is_read_by_itself(company: CompanyRef, more: str) -> None:
    tell(company, 0, plain("10", ("10", 30)))
    tell(company, 1, plain("20", ("20", 30), more=more))
    cohorts, alone = read(company)
    assert [amount for amount, _ in cohorts] == [10]
    assert alone == ["ch-1"]


def test_what_was_earned_before_is_not_read_and_neither_is_another_company(company: CompanyRef) -> None:
    tell(company, 0, plain("10", ("10", 30)))
    other = open_company("other")
    tell(other, 0, plain("20", ("20", 30)))
    values = {"company": company.id, "timezone": company.timezone, "before": LAST}
    (cohort,) = term_cohorts(values, contracts=(), ending_after=FIRST)
    assert cohort.amount == 10
    assert term_cohorts(values, contracts=(), ending_after=cohort.end) == []
    assert term_cohorts({**values, "before": FIRST}, contracts=(), ending_after=FIRST) == []
