"""What customers paid beforehand, from Stripe's deliveries to the days over which it is earned."""

import json
import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.company import CompanyRef
from ledger.domain.intake import ObjectKey, UsedLine
from ledger.domain.intake import SettledInvoice as StatedInvoice
from ledger.models.settled_invoice import SettledInvoice
from ledger.providers.provider import ParseContext
from ledger.providers.stripe import PROVIDER
from ledger.selectors.company_books import company_books
from ledger.selectors.deferred_revenue import DeferredRevenue
from ledger.services.daily_flows import catch_up
from ledger.services.record_intake import read_intake, record_intake
from ledger.services.settled_invoices import (
    InvalidSettledInvoice,
    state_settled_invoice,
    void_settled_invoice,
)
from tests.ledger.conftest import NOW, open_company
from tests.ledger.providers.stripe_events import charge, envelope
from tests.ledger.selectors.test_deferred_revenue import on, owed

pytestmark = pytest.mark.django_db

ZERO = Decimal(0)
MARCH_1, JUNE_1 = date(2026, 3, 1), date(2026, 6, 1)
CONTEXT = ParseContext(
    accounts=PROVIDER.accounts,
    settings=PROVIDER.settings,
    headers={},
    currency="USD",
    timezone=ZoneInfo("America/New_York"),
    received_at=NOW,
)


def at(day: date, second: int = 0) -> int:
    """Noon in New York, and some seconds."""
    return int(datetime(day.year, day.month, day.day, 17, tzinfo=UTC).timestamp()) + second


def march(number: int) -> date:
    return MARCH_1 + timedelta(days=number - 1)


def april(number: int) -> date:
    return date(2026, 4, number)


def deliver(company: CompanyRef, *deliveries: bytes) -> None:
    for raw in deliveries:
        intake = PROVIDER.parse(raw, CONTEXT)
        outcome = record_intake(
            company_id=company.id,
            read=read_intake(intake, now=NOW),
            origin="stripe",
            label="Stripe",
            stable_ids=True,
            actor="webhook:stripe",
            now=NOW,
        )
        assert not outcome.problems, outcome.problems


def paid_by_card(number: str, minor: int, day: date, **more: Any) -> bytes:
    thing = charge(number, amount=minor, created=at(day), **more)
    return envelope("charge.succeeded", thing, created=at(day))


def invoice(
    number: str, day: date, *lines: tuple[str, int, date, date], kind: str = "invoice.paid", **more: Any
) -> bytes:
    """An invoice whose lines are (id, minor units, first day, day after the last)."""
    total = sum(minor for _, minor, *_ in lines)
    thing = {
        "id": number,
        "object": "invoice",
        "status": "paid",
        "customer": "cus_1",
        "currency": "usd",
        "created": at(day),
        "status_transitions": {"finalized_at": at(day)},
        "total": total,
        "amount_due": total,
        "amount_paid": total,
        "starting_balance": 0,
        "ending_balance": 0,
        "lines": {
            "data": [
                {"id": line, "amount": minor, "period": {"start": at(start), "end": at(end)}}
                for line, minor, start, end in lines
            ],
            "has_more": False,
        },
        **more,
    }
    return envelope(kind, thing, created=at(day, 1))


def credit_note(number: str, document: str, minor: int, day: date, line: str, **more: Any) -> bytes:
    thing = {
        "id": number,
        "object": "credit_note",
        "invoice": document,
        "customer": "cus_1",
        "currency": "usd",
        "created": at(day),
        "effective_at": at(day),
        "status": "issued",
        "total": minor,
        "post_payment_amount": minor,
        "customer_balance_transaction": f"cbtxn_{number}",
        "lines": {"data": [{"id": f"{number}_l", "amount": minor, "invoice_line_item": line}]},
        **more,
    }
    return envelope("credit_note.created", thing, created=at(day))


def lowered(before: int, after: int, day: date, second: int = 0) -> bytes:
    """A customer's balance changed; Stripe counts a credit below zero."""
    customer = {"id": "cus_1", "object": "customer", "currency": "usd", "balance": -after, "created": at(MARCH_1)}
    event = json.loads(envelope("customer.updated", customer, created=at(day, second)))
    event["data"]["previous_attributes"] = {"balance": -before}
    return json.dumps(event).encode()


def refund(number: str, of: str, minor: int, day: date) -> bytes:
    thing = {"id": number, "object": "refund", "amount": minor, "currency": "usd", "charge": of}
    return envelope("refund.created", {**thing, "created": at(day), "status": "succeeded"}, created=at(day))


def march_sold(company: CompanyRef) -> None:
    """310 for March are paid, and on the eleventh 100 of it go to the customer's balance."""
    deliver(
        company,
        paid_by_card("ch_1", 31_000, MARCH_1),
        invoice("in_1", MARCH_1, ("il_1", 31_000, MARCH_1, april(1)), charge="ch_1"),
        credit_note("cn_1", "in_1", 10_000, march(11), "il_1"),
    )


def in_credit(found: DeferredRevenue, day: date) -> Decimal:
    return found.in_credit[found.days.index(day)]


def earned_on(found: DeferredRevenue, day: date) -> Decimal:
    return found.earned[found.days.index(day)]


def all_of(company: CompanyRef) -> DeferredRevenue:
    return owed(company, MARCH_1, JUNE_1)


APRIL = (april(1), date(2026, 5, 1))


def test_an_invoice_paid_wholly_from_the_balance_is_earned_over_its_days(company: CompanyRef) -> None:
    march_sold(company)
    deliver(
        company,
        invoice(
            "in_2",
            april(1),
            ("il_2", 9000, *APRIL),
            amount_due=0,
            amount_paid=0,
            starting_balance=-10_000,
            ending_balance=-1000,
        ),
    )
    found = all_of(company)
    assert (in_credit(found, march(10)), in_credit(found, march(11)), in_credit(found, march(31))) == (0, 100, 100)
    assert (in_credit(found, april(1)), on(found, april(1)), earned_on(found, april(2))) == (10, 87, 3)
    assert sum(found.earned) == 210 + 90
    (of_april,) = [payment for payment in found.payments if payment.deferred.received_on == april(1)]
    assert of_april.deferred.term.amount == 90
    (of_march,) = [payment for payment in found.payments if payment.deferred.received_on == MARCH_1]
    assert of_april.event_id == of_march.event_id, "it came in with the first payment"


def test_what_the_balance_does_not_cover_is_earned_beside_it(company: CompanyRef) -> None:
    march_sold(company)
    balance = {"starting_balance": -10_000, "ending_balance": 0, "amount_due": 5000, "amount_paid": 5000}
    deliver(
        company,
        invoice("in_2", april(1), ("il_2", 15_000, *APRIL), charge="ch_2", **balance),
        paid_by_card("ch_2", 5000, april(2)),
    )
    found = all_of(company)
    assert (on(found, april(1)), on(found, april(2))) == (Decimal("96.666667"), Decimal("140.000002"))
    assert sum(found.earned) == 210 + 150
    assert in_credit(found, april(1)) == 0


def test_the_payment_covers_the_tax_first_and_the_balance_the_rest_of_it(company: CompanyRef) -> None:
    march_sold(company)
    balance = {"starting_balance": -10_000, "ending_balance": 0, "total": 12_000, "tax": 3000}
    deliver(
        company,
        invoice(
            "in_2", april(1), ("il_2", 9000, *APRIL), charge="ch_2", amount_due=2000, amount_paid=2000, **balance
        ),
        paid_by_card("ch_2", 2000, april(1)),
    )
    used = SettledInvoice.objects.get(company_id=company.id, document="in_2")
    assert (used.used, used.lines) == (100, [["il_2", "90.00", "2026-04-01", "2026-05-01"]])
    assert sum(all_of(company).earned) == 210 + 90


def test_an_open_invoice_has_used_the_balance_and_voiding_it_gives_it_back(company: CompanyRef) -> None:
    march_sold(company)
    balance = {"starting_balance": -10_000, "ending_balance": 0, "amount_due": 5000, "amount_paid": 0}
    line = ("il_2", 15_000, *APRIL)
    deliver(company, invoice("in_2", april(1), line, kind="invoice.finalized", status="open", **balance))
    found = all_of(company)
    assert (in_credit(found, april(1)), sum(found.earned)) == (0, 310)
    deliver(company, invoice("in_2", april(9), line, kind="invoice.voided", status="void", **balance))
    found = all_of(company)
    assert (in_credit(found, april(1)), sum(found.earned)) == (100, 210)
    deliver(company, invoice("in_2", april(1), line, kind="invoice.finalized", status="open", **balance))
    assert in_credit(all_of(company), april(1)) == 100, "a late word about it does not undo the void"


def test_what_is_overpaid_waits_for_the_next_invoice(company: CompanyRef) -> None:
    deliver(
        company,
        paid_by_card("ch_1", 40_000, MARCH_1),
        invoice(
            "in_1",
            MARCH_1,
            ("il_1", 31_000, MARCH_1, april(1)),
            charge="ch_1",
            amount_paid=40_000,
            amount_due=31_000,
            amount_overpaid=9000,
            kind="invoice.overpaid",
        ),
    )
    found = all_of(company)
    assert (in_credit(found, MARCH_1), on(found, MARCH_1), sum(found.earned)) == (90, 300, 310)
    balance = {"starting_balance": -9000, "ending_balance": 0, "amount_due": 0, "amount_paid": 0}
    deliver(company, invoice("in_2", april(1), ("il_2", 9000, *APRIL), **balance))
    found = all_of(company)
    assert (in_credit(found, april(1)), sum(found.earned)) == (0, 400)


def test_a_second_payment_that_was_too_much_is_the_one_in_the_balance(company: CompanyRef) -> None:
    payments = [
        {"created": at(MARCH_1, number), "payment": {"type": "charge", "charge": f"ch_{number}"}}
        for number in (2, 1)
    ]
    deliver(
        company,
        paid_by_card("ch_1", 31_000, MARCH_1),
        paid_by_card("ch_2", 31_000, march(2)),
        invoice(
            "in_1",
            MARCH_1,
            ("il_1", 31_000, MARCH_1, april(1)),
            payments={"data": payments},
            amount_paid=62_000,
            amount_due=31_000,
            amount_overpaid=31_000,
        ),
    )
    found = all_of(company)
    assert (in_credit(found, MARCH_1), in_credit(found, march(2)), sum(found.earned)) == (0, 310, 310)
    deliver(company, refund("re_1", "ch_2", 31_000, march(3)))
    found = all_of(company)
    assert (in_credit(found, march(3)), sum(found.earned)) == (0, 310)


def test_a_downgrade_below_zero_credits_the_time_that_is_not_used(company: CompanyRef) -> None:
    deliver(
        company,
        paid_by_card("ch_1", 31_000, MARCH_1),
        invoice("in_1", MARCH_1, ("il_1", 31_000, MARCH_1, april(1)), charge="ch_1"),
    )
    rest = (march(21), april(1))
    sold_by = {"credited_items": {"invoice": "in_1", "invoice_line_items": ["il_1"]}}
    lines = [
        {
            "id": "il_2",
            "amount": -11_000,
            "parent": {"subscription_item_details": {"proration_details": sold_by}},
        },
        {"id": "il_3", "amount": 3300},
    ]
    for line in lines:
        line["period"] = {"start": at(rest[0]), "end": at(rest[1])}
    down = invoice(
        "in_2",
        march(21),
        total=-7700,
        amount_due=0,
        amount_paid=0,
        ending_balance=-7700,
        lines={"data": lines, "has_more": False},
    )
    deliver(company, down)
    found = all_of(company)
    assert (in_credit(found, march(20)), in_credit(found, march(21))) == (0, 77)
    assert sum(found.earned) == 310 - 77
    balance = {"starting_balance": -7700, "ending_balance": 0, "amount_due": 0, "amount_paid": 0}
    deliver(company, invoice("in_3", april(1), ("il_4", 7700, *APRIL), **balance))
    found = all_of(company)
    assert (in_credit(found, april(1)), sum(found.earned)) == (0, 310)


def test_a_gift_earns_nothing_and_what_was_paid_is_used_before_it(company: CompanyRef) -> None:
    march_sold(company)
    balance = {"starting_balance": -15_000, "ending_balance": 0, "amount_due": 0, "amount_paid": 0}
    deliver(company, invoice("in_2", april(1), ("il_2", 15_000, *APRIL), **balance))
    found = all_of(company)
    assert (in_credit(found, april(1)), sum(found.earned)) == (0, 210 + 100)


def test_a_debt_that_an_invoice_collects_is_not_earned_over_its_days(company: CompanyRef) -> None:
    balance = {"starting_balance": 1000, "ending_balance": 0, "amount_due": 32_000, "amount_paid": 32_000}
    deliver(
        company,
        paid_by_card("ch_1", 32_000, MARCH_1),
        invoice("in_1", MARCH_1, ("il_1", 31_000, MARCH_1, april(1)), charge="ch_1", **balance),
    )
    assert sum(all_of(company).earned) == 310


def test_what_stripe_says_was_taken_away_before_is_owed_no_more(company: CompanyRef) -> None:
    march_sold(company)
    balance = {"starting_balance": -3000, "ending_balance": 0, "amount_due": 0, "amount_paid": 0}
    deliver(company, invoice("in_2", april(1), ("il_2", 3000, *APRIL), **balance))
    found = all_of(company)
    assert (in_credit(found, march(31)), in_credit(found, april(1)), sum(found.earned)) == (100, 0, 210 + 30)


def test_a_refund_of_the_first_payment_takes_what_the_balance_holds_and_what_was_used(company: CompanyRef) -> None:
    march_sold(company)
    balance = {"starting_balance": -10_000, "ending_balance": -4000, "amount_due": 0, "amount_paid": 0}
    deliver(
        company,
        invoice("in_2", april(1), ("il_2", 6000, *APRIL), **balance),
        refund("re_1", "ch_1", 31_000, april(10)),
    )
    found = all_of(company)
    assert (in_credit(found, april(9)), in_credit(found, april(10)), on(found, april(10))) == (40, 0, 0)
    assert sum(found.earned) == 0
    assert sum(found.taken_back) == 310 + 100 - 40, "the note's hundred, of which sixty were earned again"


def test_a_refund_before_the_use_leaves_less_to_earn(company: CompanyRef) -> None:
    march_sold(company)
    balance = {"starting_balance": -10_000, "ending_balance": 0, "amount_due": 0, "amount_paid": 0}
    deliver(
        company,
        invoice("in_2", april(1), ("il_2", 10_000, *APRIL), **balance),
        refund("re_1", "ch_1", 15_500, march(20)),
    )
    found = all_of(company)
    assert in_credit(found, march(20)) == 50
    assert sum(found.earned) == 155
    deliver(company, refund("re_2", "ch_1", 15_500, april(20)))
    assert sum(all_of(company).earned) == 0


def test_a_note_dated_back_is_not_missed_by_an_invoice_that_came_before_it(company: CompanyRef) -> None:
    march_sold(company)
    deliver(
        company,
        invoice("in_2", march(20), ("il_2", 3000, *APRIL), paid=True, amount_paid=0, status="open"),
        credit_note("cn_2", "in_1", 5000, march(22), "il_1", effective_at=at(march(12))),
        invoice(
            "in_3",
            april(1),
            ("il_3", 15_000, *APRIL),
            amount_due=0,
            amount_paid=0,
            starting_balance=-15_000,
            ending_balance=0,
        ),
    )
    found = all_of(company)
    assert (in_credit(found, march(12)), in_credit(found, april(1)), sum(found.earned)) == (150, 0, 310)


def test_what_an_invoice_overpays_is_not_what_it_used_itself(company: CompanyRef) -> None:
    march_sold(company)
    # Fifty of the hundred and fifty were a gift; the same day another fifty come in too much.
    deliver(
        company,
        paid_by_card("ch_2", 6000, april(1)),
        invoice(
            "in_2",
            april(1),
            ("il_2", 16_000, *APRIL),
            charge="ch_2",
            amount_due=1000,
            amount_paid=6000,
            amount_overpaid=5000,
            starting_balance=-15_000,
            ending_balance=0,
        ),
        refund("re_1", "ch_2", 6000, april(1)),
    )
    found = all_of(company)
    assert (in_credit(found, april(1)), sum(found.earned)) == (0, 210 + 100)


def test_a_note_on_an_invoice_paid_from_the_balance_gives_the_balance_back(company: CompanyRef) -> None:
    march_sold(company)
    balance = {"starting_balance": -10_000, "ending_balance": 0, "amount_due": 5000, "amount_paid": 5000}
    deliver(
        company,
        paid_by_card("ch_2", 5000, april(1)),
        invoice("in_2", april(1), ("il_2", 15_000, *APRIL), charge="ch_2", **balance),
        credit_note("cn_2", "in_2", 7500, april(1), "il_2"),
    )
    found = all_of(company)
    assert (in_credit(found, april(1)), sum(found.earned)) == (75, 210 + 75)


def test_a_credit_on_a_sale_without_days_is_owed_and_earned_when_it_is_used(company: CompanyRef) -> None:
    deliver(
        company,
        paid_by_card("ch_1", 10_000, MARCH_1),
        invoice("in_1", MARCH_1, ("il_1", 10_000, MARCH_1, MARCH_1), charge="ch_1"),
        credit_note("cn_1", "in_1", 10_000, march(2), "il_1"),
    )
    assert in_credit(all_of(company), march(2)) == 100
    balance = {"starting_balance": -10_000, "ending_balance": 0, "amount_due": 0, "amount_paid": 0}
    deliver(company, invoice("in_2", april(1), ("il_2", 10_000, *APRIL), **balance))
    found = all_of(company)
    assert (in_credit(found, april(1)), on(found, april(1))) == (0, Decimal("96.666667"))


def test_a_payment_that_was_taken_back_is_in_no_balance(company: CompanyRef) -> None:
    march_sold(company)
    deliver(company, envelope("refund.failed", {"id": "ch_1", "object": "refund", "status": "failed"}))
    found = all_of(company)
    assert (in_credit(found, march(31)), sum(found.earned)) == (0, 0)


def test_free_cash_is_without_what_is_in_customers_balances(company: CompanyRef) -> None:
    march_sold(company)
    catch_up(company_id=company.id)
    books = company_books(company=company, day=march(20))
    assert (books.unearned.over_days, books.unearned.in_credit, books.unearned.total) == (55, 100, 155)
    assert books.free == books.cash - 155 == 155


def test_a_word_that_says_something_else_is_a_revision_and_the_same_is_not(company: CompanyRef) -> None:
    stated = StatedInvoice("stripe", "in_1", "cus_1", "USD", NOW, before=Decimal(30), used=Decimal(30))
    for used, is_news in ((30, True), (30, False), (20, True)):
        invoice = replace(stated, used=Decimal(used))
        assert state_settled_invoice(company_id=company.id, invoice=invoice, actor="t", now=NOW) is is_news
    document = ObjectKey("stripe", "in_1")
    assert [
        void_settled_invoice(company_id=company.id, document=document, actor="t", now=NOW) for _ in range(2)
    ] == [True, False]
    unknown = ObjectKey("stripe", "in_2")
    assert not void_settled_invoice(company_id=company.id, document=unknown, actor="t", now=NOW)
    revisions = SettledInvoice.objects.order_by("revision").values_list("revision", "used")
    assert list(revisions) == [(0, 30), (1, 20), (2, 0)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"used": Decimal(31)}, "more of a customer's balance than there is"),
        ({"paid": Decimal(-1)}, "not below zero"),
        ({"overpaid": Decimal("NaN")}, "finite"),
        ({"paid": Decimal(1)}, "must name its payment"),
        ({"customer": ""}, "name its customer"),
        ({"currency": "XYZ"}, "ISO 4217"),
        ({"lines": (UsedLine("il_1", ZERO, *APRIL),)}, "above zero"),
        ({"lines": (UsedLine("il_1", Decimal(31), *APRIL),)}, "earn more of a balance than it uses"),
        ({"lines": (UsedLine("il_1", Decimal(1), APRIL[1], APRIL[0]),)}, "must end after they start"),
    ],
)
def test_a_word_that_cannot_be_is_refused(company: CompanyRef, wrong: dict[str, Any], said: str) -> None:
    stated = StatedInvoice("stripe", "in_1", "cus_1", "USD", NOW, before=Decimal(30), used=Decimal(30))
    with pytest.raises(InvalidSettledInvoice, match=said):
        state_settled_invoice(company_id=company.id, invoice=replace(stated, **wrong), actor="t", now=NOW)


def test_another_companys_customer_of_the_same_name_has_a_balance_of_his_own(company: CompanyRef) -> None:
    other = open_company("other")
    march_sold(other)
    balance = {"starting_balance": -10_000, "ending_balance": 0, "amount_due": 0, "amount_paid": 0}
    deliver(company, invoice("in_2", april(1), ("il_2", 10_000, *APRIL), **balance))
    assert sum(all_of(company).earned) == 0
    assert in_credit(all_of(other), april(1)) == 100


def test_a_balance_that_staff_lowered_is_owed_less_from_that_day_on(company: CompanyRef) -> None:
    march_sold(company)
    # Twice, and out of order.
    deliver(
        company, lowered(6000, 5000, march(25)), lowered(10_000, 6000, march(20)), lowered(10_000, 6000, march(20))
    )
    found = all_of(company)
    days = (march(19), march(20), march(24), march(25), MARCH_1 + timedelta(days=60))
    assert [in_credit(found, day) for day in days] == [100, 60, 60, 50, 50]


def test_what_an_invoice_used_is_not_lowered_by_hand_as_well(company: CompanyRef) -> None:
    march_sold(company)
    balance = {"starting_balance": -10_000, "ending_balance": -4000, "amount_due": 0, "amount_paid": 0}
    # Stripe dates the customer's change a second before the invoice.
    deliver(company, lowered(10_000, 4000, april(1), -1))
    deliver(company, invoice("in_2", april(1), ("il_2", 6000, *APRIL), **balance))
    found = all_of(company)
    assert (in_credit(found, april(1)), sum(found.earned) + found.unearned[-1]) == (40, 210 + 60)


def test_what_is_put_to_a_balance_later_on_a_day_is_not_taken_for_lowered(company: CompanyRef) -> None:
    march_sold(company)
    # In the morning, before the note of that day was issued.
    other = invoice("in_3", march(2), ("il_3", 9000, march(2), april(1)), charge="ch_3")
    deliver(company, paid_by_card("ch_3", 9000, march(2)), other, lowered(10_000, 7000, march(20), -9000))
    deliver(company, credit_note("cn_3", "in_3", 2000, march(20), "il_3"))
    assert in_credit(all_of(company), march(20)) == 70 + 20


def test_what_is_added_to_a_balance_by_hand_is_nobodys_money(company: CompanyRef) -> None:
    march_sold(company)
    raised = PROVIDER.parse(lowered(10_000, 50_000, march(20)), CONTEXT)
    assert "lowers no balance" in raised.ignored
    assert PROVIDER.parse(lowered(-500, -900, march(20)), CONTEXT).ignored
    assert in_credit(all_of(company), march(20)) == 100


@dataclass
class SmallStripe:
    """One customer's invoices and balance, kept as Stripe keeps them, and what its webhooks would say."""

    balance: int = 0
    deliveries: list[bytes] = field(default_factory=list)
    creditable: dict[str, int] = field(default_factory=dict)
    by_hand: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    cash: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    held: dict[date, int] = field(default_factory=dict)
    earned: int = 0

    def sell(self, number: int, day: date, total: int, days: int, more: int) -> None:
        used = min(self.balance, total)
        due = total - used
        extra = more if due else 0
        document, paid_by = f"in_{number}", f"ch_{number}"
        if due:
            self.deliveries.append(paid_by_card(paid_by, due + extra, day))
            self.cash[day] += due + extra
        before, self.balance = self.balance, self.balance - used
        said = {"starting_balance": -before, "ending_balance": -self.balance, "amount_due": due}
        line = (f"il_{number}", total, day, day + timedelta(days=days))
        paid = {**said, "amount_paid": due + extra, "amount_overpaid": extra, "charge": paid_by if due else None}
        opened = {**said, "amount_paid": 0, "status": "open" if due else "paid"}
        self.deliveries.append(invoice(document, day, line, kind="invoice.finalized", **opened))
        self.deliveries.append(invoice(document, day, line, **paid))
        self.tell(before, self.balance, day)
        self.balance += extra
        self.tell(self.balance - extra, self.balance, day)
        self.creditable[document] = total
        self.earned += total

    def credit(self, number: int, day: date, which: int, minor: int) -> None:
        document = sorted(self.creditable)[which % len(self.creditable)]
        minor = min(minor, self.creditable[document])
        if minor:
            self.creditable[document] -= minor
            line = document.replace("in_", "il_")
            self.deliveries.append(credit_note(f"cn_{number}", document, minor, day, line))
            self.balance += minor
            self.earned -= minor
            self.tell(self.balance - minor, self.balance, day)

    def take_away(self, day: date, minor: int) -> None:
        """Somebody lowers the balance in Stripe's dashboard."""
        less = min(minor, self.balance)
        self.balance -= less
        self.by_hand[day] += less
        self.tell(self.balance + less, self.balance, day)

    def tell(self, before: int, after: int, day: date) -> None:
        if before != after:
            self.deliveries.append(lowered(before, after, day, second=2))

    def leave_open(self, number: int, day: date, total: int) -> None:
        """An invoice that is never paid is voided: the balance that it used is as if it never had."""
        used = min(self.balance, total)
        said = {"starting_balance": -self.balance, "ending_balance": used - self.balance}
        line = (f"il_{number}", total, day, day + timedelta(days=30))
        for kind, status in (("invoice.finalized", "open"), ("invoice.voided", "void")):
            asked = {**said, "amount_due": total - used, "amount_paid": 0, "status": status}
            asked["status_transitions"] = {"finalized_at": at(day)}
            late = day if status == "open" else day + timedelta(days=1)
            raw = invoice(f"in_{number}", late, line, kind=kind, **asked)
            self.deliveries.append(raw)
        self.tell(self.balance, self.balance - used, day)
        self.tell(self.balance - used, self.balance, day + timedelta(days=1))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sell", "sell", "credit", "void", "hand"]),
        st.integers(1, 4),
        st.integers(1, 60_000),
        st.integers(1, 40),
        st.sampled_from([0, 0, 700, 12_345]),
    ),
    min_size=2,
    max_size=7,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, seed=st.integers(0, 2**32))
def test_in_any_order_and_twice_all_cash_is_earned_owed_or_in_credit_on_every_day(
    db: None, steps: list[tuple[str, int, int, int, int]], seed: int
) -> None:
    stripe, day = SmallStripe(), MARCH_1
    for number, (kind, gap, minor, days, more) in enumerate(steps):
        if kind == "sell" or not stripe.creditable:
            stripe.sell(number, day, minor, days, more)
        elif kind == "credit":
            stripe.credit(number, day, days, minor)
        elif kind == "hand":
            stripe.take_away(day, minor)
        else:
            stripe.leave_open(number, day, minor)
        stripe.held[day] = stripe.balance
        day += timedelta(days=gap)
    deliveries = stripe.deliveries * 2
    random.Random(seed).shuffle(deliveries)
    with transaction.atomic():
        company = open_company("prop")
        deliver(company, *deliveries)
        found = all_of(company)
        transaction.set_rollback(True)
    came = earned = back = held = ZERO
    taken_away = ZERO
    for place, today in enumerate(found.days):
        came += Decimal(stripe.cash.get(today, 0)) / 100
        held = Decimal(stripe.held[today]) / 100 if today in stripe.held else held
        earned, back = earned + found.earned[place], back + found.taken_back[place]
        taken_away += Decimal(stripe.by_hand.get(today, 0)) / 100
        assert found.in_credit[place] == held, today
        assert earned + found.unearned[place] + found.in_credit[place] + taken_away == came, today
        assert found.unearned[place] >= 0
    assert earned == Decimal(stripe.earned) / 100
