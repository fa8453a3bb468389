"""What a refund, a credit note or a dispute does to the days over which a payment is earned."""

from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.company import CompanyRef
from ledger.domain.intake import CreditedLine, CreditedRefund, CreditNote, Intake, ObjectKey, ServicePeriod
from ledger.selectors.deferred_revenue import DeferredRevenue
from ledger.services.credit_notes import InvalidCreditNote, state_credit_note
from ledger.services.record_intake import read_intake, record_intake
from ledger.services.service_periods import state_service_periods, void_service_periods
from tests.ledger.conftest import NOW, open_company
from tests.ledger.selectors.test_deferred_revenue import book, on, owed

pytestmark = pytest.mark.django_db

MARCH_1, MAY_1 = date(2026, 3, 1), date(2026, 5, 1)
MARCH = (MARCH_1, date(2026, 4, 1))
ZERO = Decimal(0)


def day(number: int, month: int = 3) -> date:
    return date(2026, month, number)


def pay(company: CompanyRef, amount: str, *lines: tuple[str, str], reference: str = "ch_1", **more: Any) -> str:
    """A payment on the first of March, and its invoice, whose lines are for that month."""
    event_id = book(
        company,
        **{
            "event_type": "income",
            "amount": amount,
            "occurred_at": "2026-03-01T16:00:00Z",
            "external_ref": reference,
            **more,
        },
    )
    periods = [
        ServicePeriod(
            "bank-feed", reference, line, Decimal(part), more.get("currency", "USD"), *MARCH, f"in_{reference}"
        )
        for line, part in lines
    ]
    state_service_periods(company_id=company.id, periods=periods, actor="t", now=NOW)
    return event_id


def back(company: CompanyRef, amount: str, on_day: date, reference: str = "re_1", **more: Any) -> None:
    book(
        company,
        **{
            "amount": amount,
            "occurred_at": f"{on_day}T16:00:00Z",
            "external_ref": reference,
            "metadata": {"refund_of": "ch_1"},
            **more,
        },
    )


def credit(
    company: CompanyRef, on_day: date, *lines: tuple[str, str], reference: str = "cn_1", **more: Any
) -> None:
    note = CreditNote(
        **{
            "source": "bank-feed",
            "external_ref": reference,
            "document": "in_ch_1",
            "currency": "USD",
            "day": on_day,
            "lines": tuple(CreditedLine(line, Decimal(amount)) for line, amount in lines),
            **more,
        }
    )
    state_credit_note(company_id=company.id, note=note, actor="t", now=NOW)


def taken(found: DeferredRevenue, day: date) -> Decimal:
    return found.taken_back[found.days.index(day)]


def earned(found: DeferredRevenue, day: date) -> Decimal:
    return found.earned[found.days.index(day)]


def test_a_credit_note_lowers_only_the_line_that_it_names(company: CompanyRef) -> None:
    pay(company, "620", ("il_1", "310"), ("il_2", "310"))
    credit(company, day(11), ("il_1", "100"))
    found = owed(company, MARCH_1, MAY_1)
    assert on(found, day(10)) == 420
    # 110 are earned of the credited line: 100 are left of it for 20 days. The other one goes on.
    assert on(found, day(11)) == 100 + 200
    assert earned(found, day(12)) == 5 + 10
    assert on(found, day(31)) == 0
    assert (sum(found.earned), sum(found.taken_back)) == (520, 100)


def test_a_line_credited_whole_ends_and_what_was_earned_of_it_is_taken_out(company: CompanyRef) -> None:
    pay(company, "310", ("il_1", "310"))
    credit(company, day(11), ("il_1", "310"))
    found = owed(company, MARCH_1, MAY_1)
    assert on(found, day(11)) == 0
    # The eleventh earns its ten, and all 110 go.
    assert earned(found, day(11)) == 10 - 110
    assert sum(found.earned) == 0


def test_a_credit_without_a_line_is_shared_by_the_periods_of_its_invoice(company: CompanyRef) -> None:
    pay(company, "930", ("il_1", "620"), ("il_2", "310"))
    credit(company, day(1), ("", "93"))
    found = owed(company, MARCH_1, MAY_1)
    assert on(found, day(1)) == 930 - 30 - 93
    assert sum(found.taken_back) == 93


def test_a_credit_on_a_line_that_covers_no_days_changes_no_period(company: CompanyRef) -> None:
    pay(company, "410", ("il_1", "310"))
    credit(company, day(11), ("il_2", "100"), refunds=(CreditedRefund("re_1", Decimal(100)),))
    back(company, "100", day(12))
    found = owed(company, MARCH_1, MAY_1)
    assert sum(found.earned) == 310
    assert set(found.taken_back) == {ZERO}


def test_the_refund_of_a_credit_note_counts_once_and_its_surplus_in_proportion(company: CompanyRef) -> None:
    pay(company, "620", ("il_1", "310"), ("il_2", "310"))
    credit(company, day(11), ("il_1", "100"), refunds=(CreditedRefund("re_1", Decimal(100)),))
    back(company, "100", day(13))
    found = owed(company, MARCH_1, MAY_1)
    assert sum(found.taken_back) == 100
    assert taken(found, day(13)) == 0
    # 62 more than the note says: a tenth of the payment, and so of each line.
    back(company, "162", day(14), reference="re_2")
    credit(company, day(11), ("il_1", "100"), refunds=(CreditedRefund("re_2", Decimal(100)),))
    found = owed(company, MARCH_1, MAY_1)
    assert taken(found, day(14)) == 62
    assert taken(found, day(13)) == 100, "no note names the first refund any more"


def test_a_voided_credit_note_lets_the_period_go_on(company: CompanyRef) -> None:
    pay(company, "310", ("il_1", "310"))
    credit(company, day(11), ("il_1", "100"))
    credit(company, day(11))
    found = owed(company, MARCH_1, MAY_1)
    assert on(found, day(11)) == 200
    assert sum(found.earned) == 310


def test_what_goes_to_the_customers_balance_stays_owed(company: CompanyRef) -> None:
    pay(company, "372", ("il_1", "310"))
    credit(company, day(11), ("il_1", "100"), to_balance=Decimal(120))
    found = owed(company, MARCH_1, MAY_1)
    in_credit = dict(zip(found.days, found.in_credit, strict=True))
    assert (in_credit[day(10)], in_credit[day(11)], in_credit[day(30, 4)]) == (0, 120, 120)
    assert on(found, day(11)) == 100


def test_a_refund_takes_the_part_of_the_payment_and_not_what_it_is_worth_today(company: CompanyRef) -> None:
    pay(company, "310", ("il_1", "310"), currency="EUR")
    first = owed(company, MARCH_1, MAY_1)
    back(company, "310", day(11), currency="EUR")
    found = owed(company, MARCH_1, MAY_1)
    assert on(first, day(11)) > 0
    assert set(found.unearned[10:]) == {ZERO}, "all of it is gone, whatever the euro does meanwhile"
    assert sum(found.earned) == 0


def test_a_dispute_ends_the_period_and_winning_it_lets_it_go_on(company: CompanyRef) -> None:
    pay(company, "310", ("il_1", "310"))
    back(company, "310", day(11), reference="dp_1", category="disputes")
    lost = owed(company, MARCH_1, MAY_1)
    assert on(lost, day(11)) == 0
    back(company, "310", day(21), reference="dp_1", event_type="income", category="disputes")
    found = owed(company, MARCH_1, MAY_1)
    assert on(found, day(20)) == 0
    assert on(found, day(26)) == 155
    assert sum(found.earned) == 310
    assert (taken(found, day(11)), taken(found, day(21))) == (310, -310)


def test_a_dispute_settled_in_another_currency_takes_what_it_says_in_the_payments(company: CompanyRef) -> None:
    pay(company, "310", ("il_1", "310"), currency="EUR")
    stated = {"refund_of": "ch_1", "refund_amount": "155.00", "refund_currency": "EUR"}
    whole = owed(company, MARCH_1, MAY_1)
    back(company, "999", day(1), metadata=stated)
    found = owed(company, MARCH_1, MAY_1)
    assert sum(found.taken_back) * 2 == sum(whole.earned)


@pytest.mark.parametrize("amount", ["", "NaN", "-5", "1e9", "10,00"])
def test_nonsense_in_a_refunds_metadata_is_passed_over(company: CompanyRef, amount: str) -> None:
    pay(company, "310", ("il_1", "310"), currency="EUR")
    back(company, "1", day(2), metadata={"refund_of": "ch_1", "refund_amount": amount, "refund_currency": "EUR"})
    assert sum(owed(company, MARCH_1, MAY_1).taken_back) == 1


def test_a_refund_after_the_end_is_taken_out_of_revenue_on_its_day(company: CompanyRef) -> None:
    pay(company, "310", ("il_1", "310"))
    back(company, "31", day(20, 4))
    found = owed(company, day(10, 4), MAY_1)
    assert earned(found, day(20, 4)) == -31
    assert sum(found.taken_back) == 31


def test_a_voided_invoice_states_no_periods_any_more(company: CompanyRef) -> None:
    pay(company, "620", ("il_1", "310"), ("il_2", "310"))
    pay(company, "310", ("il_1", "310"), reference="ch_2")
    document = ObjectKey("bank-feed", "in_ch_1")
    for count in (2, 0):
        assert void_service_periods(company_id=company.id, document=document, actor="t", now=NOW) == count
    assert sum(owed(company, MARCH_1, MAY_1).earned) == 310


def test_a_late_word_about_a_note_does_not_undo_a_later_one(company: CompanyRef) -> None:
    pay(company, "310", ("il_1", "310"))
    base = {
        "source": "bank-feed",
        "external_ref": "cn_1",
        "document": "in_ch_1",
        "currency": "USD",
        "day": day(11),
    }
    voided = Intake(credit_notes=(CreditNote(**base),), said_at=NOW)
    issued = Intake(
        credit_notes=(CreditNote(**base, lines=(CreditedLine("il_1", Decimal(100)),)),),
        said_at=NOW - timedelta(minutes=1),
    )
    for intake in (voided, issued):
        with transaction.atomic():
            record_intake(
                company_id=company.id,
                read=read_intake(intake, now=NOW),
                origin="x",
                label="X",
                stable_ids=True,
                actor="t",
                now=NOW,
            )
    assert set(owed(company, MARCH_1, MAY_1).taken_back) == {ZERO}


def test_notes_of_another_company_or_currency_are_not_seen(company: CompanyRef) -> None:
    pay(company, "310", ("il_1", "310"))
    credit(open_company("other"), day(11), ("il_1", "100"))
    credit(company, day(11), ("il_1", "100"), currency="EUR")
    assert set(owed(company, MARCH_1, MAY_1).taken_back) == {ZERO}


@pytest.mark.parametrize(
    "more",
    [
        {"currency": "XYZ"},
        {"document": ""},
        {"external_ref": ""},
        {"to_balance": Decimal(-1)},
        {"out_of_band": Decimal("NaN")},
        {"refunds": (CreditedRefund("re_1", Decimal("Infinity")),)},
        {"lines": (CreditedLine("il_1", ZERO),)},
    ],
)
def test_a_credit_note_that_cannot_be_is_refused(company: CompanyRef, more: dict[str, Any]) -> None:
    with pytest.raises(InvalidCreditNote):
        credit(company, day(11), **more)


MICRO = Decimal("0.000001")


def slowly_earned(
    parts: dict[str, Decimal], takes: list[tuple[date, dict[str, Decimal]]], until: date
) -> list[Decimal]:
    """Earn day by day, slowly: each line what is left of it over the days that are left, the last day the rest.

    Returns what is earned by the end of each day from the first of March on.
    """
    start, end = MARCH
    days = [start + timedelta(days=number) for number in range((until - start).days)]
    total = dict.fromkeys(days, ZERO)
    for line, part in parts.items():
        gained, gone, rest, per_day = ZERO, ZERO, part, None
        for today in days:
            if start <= today < end and rest:
                left = (end - today).days
                if per_day is None:
                    per_day = (rest / left).quantize(MICRO, rounding=ROUND_DOWN)
                step = rest if left == 1 else per_day
                gained, rest = gained + step, rest - step
            # What is taken counts from the end of its day on; it takes earned revenue where nothing else is left.
            for on_day, amounts in takes:
                if on_day == today and line in amounts:
                    gone += amounts[line]
                    left = (end - today).days - 1
                    rest = max(part - gained - gone, ZERO) if left > 0 else ZERO
                    gained, per_day = part - gone - rest, None
            total[today] += gained
    return list(total.values())


CENTS = st.integers(1, 50_000).map(lambda minor: Decimal(minor).scaleb(-2))
TAKES = st.lists(
    st.tuples(st.sampled_from(["note", "refund", "dispute", "won"]), st.integers(0, 45), CENTS), max_size=5
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(CENTS, min_size=1, max_size=3), takes=TAKES)
def test_what_was_invoiced_is_earned_unearned_or_taken_back_on_every_day(
    db: None, parts: list[Decimal], takes: list[tuple[str, int, Decimal]]
) -> None:
    with transaction.atomic():
        company = open_company("prop")
        lines = {f"il_{number}": part for number, part in enumerate(parts)}
        invoiced = sum(parts, ZERO)
        pay(company, str(invoiced), *((line, str(part)) for line, part in lines.items()))
        expected: list[tuple[date, dict[str, Decimal]]] = []
        taken: list[tuple[date, Decimal]] = []
        # On one day credit notes come first.
        in_time = sorted(takes, key=lambda take: (take[1], take[0] != "note"))
        for number, (kind, offset, amount) in enumerate(in_time):
            on_day = MARCH_1 + timedelta(days=offset)
            if kind == "note":
                credit(company, on_day, ("il_0", str(amount)), reference=f"cn_{number}")
                expected.append((on_day, {"il_0": amount}))
                continue
            if kind == "won":
                # Only what was taken on an earlier day is given again, and once.
                standing = sum((take for day, take in taken if day < on_day or take < 0), ZERO)
                amount = min(amount, standing)
            if amount <= 0:
                continue
            taken.append((on_day, -amount if kind == "won" else amount))
            event_type = "income" if kind == "won" else "expense"
            back(company, str(amount), on_day, reference=f"x_{number}", event_type=event_type)
            sign = -1 if kind == "won" else 1
            shares = {line: sign * (part * amount / invoiced).quantize(MICRO) for line, part in lines.items()}
            expected.append((on_day, shares))
        found = owed(company, MARCH_1, MAY_1)
        slow = slowly_earned(lines, expected, MAY_1)
        gained = gone = ZERO
        for place in range(len(found.days)):
            gained, gone = gained + found.earned[place], gone + found.taken_back[place]
            assert gained + found.unearned[place] + gone == invoiced, found.days[place]
            assert gained == slow[place], found.days[place]
            assert found.unearned[place] >= 0
        transaction.set_rollback(True)
