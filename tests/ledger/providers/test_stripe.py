"""Stripe's deliveries, taken apart."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.domain.event import parse_event
from ledger.domain.intake import CreditedLine, CreditedRefund, CreditNote, Intake, ObjectKey
from ledger.providers.provider import Arrival, ParseContext, Unreadable
from ledger.providers.stripe import _LIFE, CREDIT_NOTE, INVOICE_SETTLED, INVOICE_VOIDED, PROVIDER, READERS
from tests.ledger.conftest import NOW
from tests.ledger.providers.stripe_events import CREATED, SECRET, charge, envelope, payout, signed, transaction

# The samples that say something about money; every other one is ignored with a reason.
SPEAKING = {
    "charge.captured",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_succeeded",
    "payout.created",
    "payout.paid",
    "payout.updated",
    "transfer.created",
    "transfer.failed",
    "transfer.paid",
    "transfer.updated",
}


def context(**settings: Any) -> ParseContext:
    return ParseContext(
        accounts=PROVIDER.accounts,
        settings={**PROVIDER.settings, **settings},
        headers={},
        currency="USD",
        timezone=ZoneInfo("America/New_York"),
        received_at=NOW,
    )


def read(kind: str, thing: dict[str, Any], **more: Any) -> Intake:
    settings = more.pop("settings", {})
    return PROVIDER.parse(envelope(kind, thing, **more), context(**settings))


def lines(intake: Intake) -> list[tuple]:
    """Type, direction, amount, currency, reference and account of each event, read by the ledger's own rules."""
    drafts = [parse_event(event, now=NOW) for event in intake.events]
    return [(d.event_type, d.flow, d.amount, d.currency, d.external_ref, d.account) for d in drafts]


def arrival(raw: bytes, header: str, secrets: tuple[str, ...] = (SECRET,), now: int = CREATED) -> Arrival:
    return Arrival(
        raw=raw,
        headers={"stripe-signature": header} if header else {},
        secrets=secrets,
        settings={},
        credentials={},
        now=datetime.fromtimestamp(now, tz=UTC),
    )


@pytest.mark.parametrize(
    ("seconds", "verified"), [(0, True), (299, True), (-299, True), (301, False), (-301, False)]
)
def test_a_signature_is_good_for_five_minutes_either_way(seconds: int, verified: bool) -> None:
    raw = envelope("charge.succeeded", charge())
    assert PROVIDER.verify(arrival(raw, signed(raw, CREATED + seconds))).verified is verified


def test_either_of_two_secrets_will_do() -> None:
    raw = envelope("charge.succeeded", charge())
    header = signed(raw, CREATED, "whsec_old")
    assert PROVIDER.verify(arrival(raw, header, ("whsec_new", "whsec_old"))).verified
    assert not PROVIDER.verify(arrival(raw, header, ("whsec_new",))).verified


@pytest.mark.parametrize("header", ["", "t=1", "v1=00", "t=x,v1=00", "t=1780000000,v1=é", "=,=,", "t=1,t=2,v1=0"])
def test_it_refuses_a_header_that_says_nothing(header: str) -> None:
    assert not PROVIDER.verify(arrival(envelope("charge.succeeded", charge()), header)).verified


def test_one_other_byte_spoils_the_signature() -> None:
    raw = envelope("charge.succeeded", charge())
    assert not PROVIDER.verify(arrival(raw + b" ", signed(raw, CREATED))).verified
    assert not PROVIDER.verify(arrival(b"\xff" + raw, signed(raw, CREATED))).verified


@pytest.mark.parametrize(
    ("currency", "minor", "amount"), [("usd", 1050, "10.50"), ("jpy", 1050, "1050"), ("kwd", 1050, "1.050")]
)
def test_minor_units_are_those_of_the_currency(currency: str, minor: int, amount: str) -> None:
    ((*_, found, code, _, _),) = lines(read("charge.succeeded", charge(amount=minor, currency=currency)))
    assert (found, code) == (Decimal(amount), currency.upper())


def test_a_charge_is_income_on_the_processor_account_and_its_fee_an_expense() -> None:
    thing = charge(balance_transaction=transaction("txn_1", 1050, "usd", fee=61))
    assert lines(read("charge.succeeded", thing)) == [
        ("income", "in", Decimal("10.50"), "USD", "ch_1", "stripe"),
        ("expense", "out", Decimal("0.61"), "USD", "txn_1", "stripe"),
    ]


def test_a_payment_in_another_currency_is_worth_what_stripe_settled() -> None:
    thing = charge(currency="eur", amount=10_000, balance_transaction=transaction("txn_1", 10_973, "usd", fee=350))
    intake = read("charge.succeeded", thing)
    assert lines(intake) == [
        ("transfer", "out", Decimal(100), "EUR", "txn_1", "stripe"),
        ("transfer", "in", Decimal("109.73"), "USD", "txn_1", "stripe"),
        ("income", "in", Decimal(100), "EUR", "ch_1", "stripe"),
        ("expense", "out", Decimal("3.50"), "USD", "txn_1", "stripe"),
    ]
    assert {place: (s.currency, s.rate) for place, s in intake.settlements.items()} == {
        0: ("USD", Decimal("1.0973")),
        2: ("USD", Decimal("1.0973")),
    }


@pytest.mark.parametrize("more", [{"captured": False}, {"status": "failed"}, {"status": "pending"}])
def test_a_charge_that_moved_nothing_is_ignored_with_a_reason(more: dict[str, Any]) -> None:
    intake = read("charge.succeeded", charge(**more))
    assert not intake.events
    assert intake.ignored


def test_a_refund_goes_out_and_a_failed_one_is_taken_back() -> None:
    thing = {"id": "re_1", "object": "refund", "amount": 300, "currency": "usd", "created": CREATED}
    assert lines(read("refund.created", {**thing, "status": "succeeded"})) == [
        ("expense", "out", Decimal(3), "USD", "re_1", "stripe")
    ]
    assert read("refund.failed", {**thing, "status": "failed"}).removed == (ObjectKey("stripe", "re_1"),)


def test_a_refund_names_the_income_that_it_takes_back() -> None:
    thing = {
        "id": "re_1",
        "object": "refund",
        "amount": 300,
        "currency": "usd",
        "created": CREATED,
        "charge": "ch_1",
    }
    (event,) = read("refund.created", {**thing, "status": "succeeded"}).events
    assert event["metadata"]["refund_of"] == "ch_1"  # type: ignore[index]


def test_a_dispute_takes_money_and_fee_and_gives_both_back() -> None:
    taken = transaction("txn_1", -1000, "usd", fee=1500)
    given = transaction("txn_2", 1000, "usd", fee=-1500, created=CREATED + 60)
    thing = {"id": "dp_1", "object": "dispute", "balance_transactions": [given, taken]}
    assert lines(read("charge.dispute.funds_reinstated", thing)) == [
        ("expense", "out", Decimal(10), "USD", "dp_1", "stripe"),
        ("expense", "out", Decimal(15), "USD", "txn_1", "stripe"),
        ("income", "in", Decimal(10), "USD", "dp_1", "stripe"),
        ("adjustment", "in", Decimal(15), "USD", "txn_2", "stripe"),
    ]


def test_a_payout_leaves_stripe_at_once_and_reaches_the_bank_on_its_day() -> None:
    left = ("transfer", "out", Decimal(9), "USD", "po_1", "stripe")
    assert lines(read("payout.created", payout("pending"))) == [left]
    intake = read("payout.paid", payout("paid"))
    assert lines(intake) == [left, ("transfer", "in", Decimal(9), "USD", "po_1", "bank")]
    assert intake.events[1]["occurred_at"] == "2026-05-30T16:00:00+00:00", "noon in New York"
    assert lines(read("payout.paid", payout("paid"), settings={"bank_feed": True})) == [left]


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_payout_that_failed_never_left(status: str) -> None:
    assert read(f"payout.{status}", payout(status)).removed == (ObjectKey("stripe", "po_1"),)


def invoice(**more: Any) -> dict[str, Any]:
    year = {"start": 1_767_268_800, "end": 1_798_804_800}  # 1 January 2026 and 2027, noon UTC
    return {
        "id": "in_1",
        "object": "invoice",
        "created": CREATED,
        "status": "paid",
        "amount_paid": 12_900,
        "currency": "usd",
        "charge": "ch_1",
        "tax": 2400,
        "lines": {
            "data": [
                {"id": "il_1", "amount": 12_000, "period": year},
                {"id": "il_2", "amount": 500, "period": {"start": CREATED, "end": CREATED}},
                {"id": "il_3", "amount": -2000, "period": year},
            ]
        },
        **more,
    }


def test_an_invoice_states_periods_of_its_charge_and_no_cash() -> None:
    intake = read("invoice.paid", invoice())
    assert intake.events == ()
    (period,) = intake.service_periods
    assert (period.source, period.external_ref, period.line) == ("stripe", "ch_1", "il_1")
    assert (period.start, period.end) == (date(2026, 1, 1), date(2027, 1, 1))
    assert period.amount == Decimal("100.80"), "12,000 of 12,500 shares of the 105.00 that remain after tax"


@pytest.mark.parametrize("more", [{"amount_paid": 0}, {"paid_out_of_band": True}, {"status": "open"}])
def test_an_invoice_that_stripe_collected_nothing_for_is_ignored(more: dict[str, Any]) -> None:
    assert read("invoice.paid", invoice(**more)).ignored


def test_an_invoice_that_names_no_charge_asks_for_a_key() -> None:
    with pytest.raises(Unreadable, match="api_key"):
        read("invoice.paid", invoice(charge=None))


def test_what_an_invoice_states_names_the_invoice() -> None:
    (period,) = read("invoice.paid", invoice()).service_periods
    assert period.document == "in_1"
    assert read("invoice.voided", invoice(status="void")).voided == (ObjectKey("stripe", "in_1"),)
    assert "nothing to take back" in read("invoice.marked_uncollectible", invoice(status="uncollectible")).ignored


def test_an_invoice_finalised_without_a_balance_settles_nothing_so_far() -> None:
    opened = invoice(status="open", amount_paid=0, charge=None, customer="cus_1")
    assert "so far" in read("invoice.finalized", opened).ignored
    assert read("invoice.finalized", {**opened, "starting_balance": -500, "ending_balance": -500}).ignored


def test_an_invoice_paid_from_the_balance_needs_no_charge_and_its_lines_all_of_them() -> None:
    balance = {"starting_balance": -20_000, "ending_balance": -7100, "amount_due": 0, "amount_paid": 0}
    whole = invoice(customer={"id": "cus_1"}, charge=None, **balance)
    (settled,) = read("invoice.paid", whole).settled
    assert (settled.customer, settled.payment, settled.before, settled.used) == ("cus_1", "", 200, 129)
    assert sum(used.amount for used in settled.lines) == Decimal("100.80"), "the balance pays the tax as well"
    with pytest.raises(Unreadable, match="api_key"):
        read("invoice.paid", {**whole, "lines": {**whole["lines"], "has_more": True}})


def test_an_invoice_says_when_it_was_finalised_and_comes_before_what_follows_in_the_same_second() -> None:
    times = {"status_transitions": {"finalized_at": CREATED - 60}, "customer": "cus_1"}
    balance = {"starting_balance": -100, "ending_balance": 0}
    thing = invoice(**times, **balance)
    said = [read(kind, thing).said_at for kind in ("invoice.finalized", "invoice.paid", "invoice.voided")]
    assert said == sorted(set(said))
    (settled,) = read("invoice.paid", thing).settled
    assert settled.at == datetime.fromtimestamp(CREATED - 60, tz=UTC)


def test_unused_time_that_names_no_invoice_is_left_out() -> None:
    below = invoice(customer="cus_1", total=-2000, tax=0, amount_paid=0, starting_balance=0, ending_balance=-2000)
    assert read("invoice.paid", below).ignored


def credit_note(**more: Any) -> dict[str, Any]:
    """A credit of 60.00 and its tax of 12.00, all after the payment and back to the card."""
    return {
        "id": "cn_1",
        "object": "credit_note",
        "invoice": "in_1",
        "currency": "usd",
        "created": CREATED,
        "effective_at": CREATED,
        "status": "issued",
        "total": 7200,
        "pre_payment_amount": 0,
        "post_payment_amount": 7200,
        "refunds": [{"refund": "re_1", "amount_refunded": 7200}],
        "lines": {"data": [{"id": "cnli_1", "amount": 6000, "invoice_line_item": "il_1"}], "has_more": False},
        **more,
    }


def note_of(**more: Any) -> CreditNote:
    (note,) = read("credit_note.created", credit_note(**more)).credit_notes
    return note


def test_a_credit_note_lowers_the_line_that_it_names_and_knows_its_refund() -> None:
    intake = read("credit_note.created", credit_note())
    assert (intake.events, intake.ignored) == ((), "")
    (note,) = intake.credit_notes
    assert (note.source, note.external_ref, note.document, note.currency) == ("stripe", "cn_1", "in_1", "USD")
    assert note.day == date(2026, 5, 28)
    assert note.lines == (CreditedLine("il_1", Decimal(60)),)
    assert note.refunds == (CreditedRefund("re_1", Decimal(72)),)
    assert (note.to_balance, note.out_of_band) == (0, 0)


def test_what_is_neither_refunded_nor_out_of_band_goes_to_the_customers_balance() -> None:
    note = note_of(
        refunds=[{"refund": "re_1", "amount_refunded": 2200}],
        out_of_band_amount=1000,
        customer_balance_transaction="cbtxn_1",
    )
    assert note.refunds == (CreditedRefund("re_1", Decimal(22)),)
    assert (note.to_balance, note.out_of_band) == (Decimal(40), Decimal(10))


@pytest.mark.parametrize(
    ("more", "credited"),
    [
        ({"pre_payment_amount": 3600, "post_payment_amount": 3600}, "30"),
        ({"pre_payment_amount": None, "post_payment_amount": None, "type": "post_payment"}, "60"),
        ({"lines": {"data": [{"amount": 6000, "discount_amounts": [{"amount": 500}]}]}}, "55"),
        ({"lines": {"data": [{"amount": 7200, "tax_amounts": [{"amount": 1200, "inclusive": True}]}]}}, "60"),
        ({"lines": {"data": [{"amount": 7200, "taxes": [{"amount": 1200, "tax_behavior": "inclusive"}]}]}}, "60"),
        ({"lines": {"data": [{"amount": 6000, "tax_amounts": [{"amount": 1200, "inclusive": False}]}]}}, "60"),
    ],
)
def test_only_what_was_paid_is_credited_before_tax_and_after_discounts(
    more: dict[str, Any], credited: str
) -> None:
    assert sum(line.amount for line in note_of(**more).lines) == Decimal(credited)


@pytest.mark.parametrize(
    "more",
    [
        {"pre_payment_amount": 7200, "post_payment_amount": 0},
        {"pre_payment_amount": None, "post_payment_amount": None, "type": "pre_payment"},
    ],
)
def test_a_credit_note_before_the_payment_is_ignored_with_the_reason(more: dict[str, Any]) -> None:
    assert "before the payment" in read("credit_note.created", credit_note(**more)).ignored


def test_a_voided_credit_note_takes_back_what_it_said() -> None:
    (note,) = read("credit_note.voided", credit_note(status="void", voided_at=CREATED)).credit_notes
    assert (note.external_ref, note.lines, note.refunds) == ("cn_1", (), ())


def test_older_versions_of_the_api_name_one_refund() -> None:
    old = {"refunds": None, "refund": "re_9"}
    assert note_of(**old, out_of_band_amount=1200).refunds == (CreditedRefund("re_9", Decimal(60)),)
    both = {**old, "customer_balance_transaction": "cbtxn_1"}
    with pytest.raises(Unreadable, match="api_key"):
        note_of(**both)
    note = note_of(**both | {"refund": {"id": "re_9", "amount": 5200}})
    assert (note.refunds, note.to_balance) == ((CreditedRefund("re_9", Decimal(52)),), Decimal(20))


@pytest.mark.parametrize("more", [{"invoice": None}, {"id": None}, {"currency": None}, {"total": "x"}])
def test_a_credit_note_without_what_it_needs_is_unreadable(more: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        note_of(**more)


def test_a_long_credit_note_asks_for_a_key() -> None:
    with pytest.raises(Unreadable, match="api_key"):
        note_of(lines={"data": [], "has_more": True})


def test_the_credit_note_that_stripe_documents_is_read(shared_data: Path) -> None:
    resources = json.loads((shared_data / "stripe-openapi" / "fixtures3.json").read_bytes())["resources"]
    documented = {**resources["credit_note"], "refunds": [], "pre_payment_amount": 0, "post_payment_amount": 1690}
    (note,) = read("credit_note.created", documented).credit_notes
    assert [(credited.line[:3], credited.amount) for credited in note.lines] == [
        ("il_", Decimal("11.90")),
        ("", Decimal("5.00")),
    ]


def test_a_credit_note_before_the_payment_lowers_the_line_that_it_names() -> None:
    lines = {
        "data": [
            {"id": number, "amount": 10_000, "period": {"start": 1_767_268_800, "end": 1_798_804_800}}
            for number in ("il_1", "il_2")
        ]
    }
    note = credit_note(total=6000, pre_payment_amount=6000, post_payment_amount=0, refunds=[])
    paid = invoice(lines=lines, tax=0, amount_paid=14_000)
    alike = read("invoice.paid", paid).service_periods
    assert [period.amount for period in alike] == [70, 70], "nobody says which line"
    named = read("invoice.paid", {**paid, "credit_notes": {"data": [note]}}).service_periods
    assert [period.amount for period in named] == [40, 100]
    voided = read("invoice.paid", {**paid, "credit_notes": {"data": [{**note, "status": "void"}]}}).service_periods
    assert [period.amount for period in voided] == [70, 70]


def test_a_dispute_names_the_payment_and_what_of_it_is_disputed() -> None:
    taken = transaction("txn_1", -1097, "usd")
    thing = {"id": "dp_1", "charge": "ch_1", "amount": 1000, "currency": "eur", "balance_transactions": [taken]}
    (event,) = read("charge.dispute.funds_withdrawn", thing).events
    metadata = dict(event["metadata"])  # type: ignore[call-overload]
    assert (metadata["refund_of"], metadata["refund_amount"], metadata["refund_currency"]) == (
        "ch_1",
        "10.00",
        "EUR",
    )
    (event,) = read("charge.dispute.funds_withdrawn", {**thing, "currency": "usd"}).events
    assert "refund_amount" not in event["metadata"]  # type: ignore[operator]


def test_events_of_other_accounts_and_modes_are_not_ours() -> None:
    assert "acct_2" in read("charge.succeeded", charge(), account="acct_2").ignored
    ours = {"account": "acct_2"}
    assert read("charge.succeeded", charge(), account="acct_2", settings=ours).events
    assert read("charge.succeeded", charge(), account="acct_2", settings=ours, livemode=False).ignored
    assert read("charge.succeeded", charge(), settings={"mode": "test"}).ignored


def test_a_type_that_nobody_knows_is_not_ignored_in_silence() -> None:
    with pytest.raises(Unreadable, match=r"issuing_transaction\.created"):
        read("issuing_transaction.created", {"id": "ipi_1"})


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"type": "charge.succeeded"}', b'{"data": {"object": []}}'])
def test_what_is_no_event_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        PROVIDER.parse(raw, context())


def test_whatever_says_something_has_its_place_within_a_second() -> None:
    kinds = READERS.keys() | INVOICE_SETTLED | CREDIT_NOTE | {INVOICE_VOIDED}
    assert {kind.rpartition(".")[2] for kind in kinds} == set(_LIFE)


def test_all_samples_are_read_or_ignored_on_purpose(shared_data: Path) -> None:
    speaking, ignored = set(), {}
    files = sorted((shared_data / "stripe-webhook-events").glob("*.json"))
    assert len(files) == 88
    for file in files:
        raw = file.read_bytes()
        if "livemode" not in json.loads(raw):
            continue
        intake = PROVIDER.parse(raw, context())
        kind = json.loads(raw)["type"]
        if intake.ignored:
            ignored[file.stem] = intake.ignored
        else:
            speaking.add(kind)
            lines(intake)
    assert speaking == SPEAKING
    assert len(ignored) == 88 - len(SPEAKING)
    money = {name for name in ignored if name in READERS or name in INVOICE_SETTLED}
    assert money == {
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.failed",
    }
