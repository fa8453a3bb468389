"""Stripe's own rates and fees: known at once, or only after an event was recorded at a published rate."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings

from ledger.domain.company import CompanyRef
from ledger.domain.outcome import JournalEntry
from ledger.models.delivery import Delivery
from ledger.models.endpoint import WebhookEndpoint
from ledger.selectors.fx import rate
from ledger.selectors.journal import list_events
from ledger.services.closed_months import close_month
from ledger.services.deliveries import release_for_replay, work_on_delivery
from ledger.services.endpoints import OpenedEndpoint, open_endpoint_numbered, set_credentials
from tests.ledger.conftest import NOW, open_company
from tests.ledger.providers.outside_server import OutsideServer, Reply
from tests.ledger.providers.stripe_events import CREATED, charge, envelope, payout, transaction
from tests.ledger.services.test_deliveries import deliver, opened

KEY = "sk_live_only_for_tests"
EUROS = {"currency": "eur", "amount": 10_000}
SETTLED = transaction("txn_1", 10_973, "usd", fee=350, source="ch_1")


@pytest.fixture
def stripe(outside: OutsideServer) -> Iterator[OutsideServer]:
    """Stripe's API, with one balance transaction; it wants the key."""

    def answer(content: Any) -> Callable[[Any], Reply]:
        return lambda asked: Reply(200 if asked.headers["Authorization"] == f"Bearer {KEY}" else 401, content)

    outside.on("/v1/balance_transactions/txn_1", answer(SETTLED))
    with override_settings(STRIPE_API_URL=outside.url):
        yield outside


def give_key(endpoint: OpenedEndpoint) -> OpenedEndpoint:
    set_credentials(endpoint_pk=endpoint.id, given={"api_key": KEY}, removed=())
    return open_endpoint_numbered(endpoint_pk=endpoint.id)


def replay(delivery: Delivery) -> Delivery:
    assert release_for_replay(delivery_pk=delivery.pk, now=NOW)
    work_on_delivery(delivery_pk=delivery.pk, clock=lambda: NOW)
    delivery.refresh_from_db()
    return delivery


def entries(company: CompanyRef) -> tuple[JournalEntry, ...]:
    return tuple(list_events(company_id=company.id, limit=1000).entries)


def standing(company: CompanyRef) -> list[tuple[str, str, Decimal, str, Decimal, str]]:
    """Events that stand: type, reference, amount, currency, worth in the books, source of the rate."""
    found = entries(company)
    gone = {entry.reverses for entry in found}
    return sorted(
        (e.event_type, e.external_ref, e.amount, e.currency, e.base_amount, e.fx_source)
        for e in found
        if not e.reverses and e.event_id not in gone
    )


def held(company: CompanyRef) -> dict[tuple[str, str], Decimal]:
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in entries(company):
        sums[entry.account, entry.currency] += entry.amount if entry.direction == "in" else -entry.amount
    return {key: amount for key, amount in sums.items() if amount}


SETTLED_BOOKS = [
    ("expense", "txn_1", Decimal("3.5"), "USD", Decimal("3.5"), "same"),
    ("income", "ch_1", Decimal(100), "EUR", Decimal("109.73"), "stripe"),
    ("transfer", "txn_1", Decimal(100), "EUR", Decimal("109.73"), "stripe"),
    ("transfer", "txn_1", Decimal("109.73"), "USD", Decimal("109.73"), "same"),
]


def test_a_key_that_is_added_later_revises_what_was_recorded_at_a_published_rate_once(
    company: CompanyRef, stripe: OutsideServer
) -> None:
    endpoint = opened(company)
    raw = envelope("charge.succeeded", charge(**EUROS, balance_transaction="txn_1"))
    first = deliver(endpoint, raw)
    ((_, _, _, _, published, source),) = standing(company)
    assert source == "ecb"
    assert published != Decimal("109.73")

    give_key(endpoint)
    replay(first)
    assert (first.state, first.recorded, first.corrected, first.duplicate) == ("done", 4, 1, 0)
    assert standing(company) == SETTLED_BOOKS
    (reversal,) = [entry for entry in entries(company) if entry.reverses]
    assert reversal.reason == "Corrected by Stripe: other rate"
    count = len(entries(company))
    for _ in range(2):
        replay(first)
    deliver(endpoint, raw)
    assert len(entries(company)) == count, "once"


def test_a_transaction_that_a_later_word_brings_revises_too_and_a_word_without_it_undoes_nothing(
    company: CompanyRef,
) -> None:
    endpoint = opened(company)
    for place, more in enumerate([{}, {"balance_transaction": SETTLED}, {}]):
        kind = "charge.updated" if place else "charge.succeeded"
        raw = envelope(kind, charge(**EUROS, **more), created=CREATED + place)
        assert deliver(endpoint, raw).state == "done"
    assert standing(company) == SETTLED_BOOKS


def test_an_old_delivery_read_again_settles_although_stripe_spoke_later(
    company: CompanyRef, stripe: OutsideServer
) -> None:
    endpoint = opened(company)
    first = deliver(endpoint, envelope("charge.succeeded", charge(**EUROS, balance_transaction="txn_1")))
    deliver(endpoint, envelope("charge.updated", charge(**EUROS), created=CREATED + 60))
    give_key(endpoint)
    replay(first)
    assert standing(company) == SETTLED_BOOKS


def test_a_payment_whose_transaction_was_made_a_moment_later_is_asked_for(
    company: CompanyRef, stripe: OutsideServer
) -> None:
    endpoint = give_key(opened(company))
    stripe.on("/v1/charges/ch_1", Reply(200, charge(**EUROS, balance_transaction="txn_1")))
    deliver(endpoint, envelope("charge.succeeded", charge(**EUROS, balance_transaction=None)))
    assert standing(company) == SETTLED_BOOKS


def test_a_closed_month_keeps_its_rate_and_the_delivery_says_why(
    company: CompanyRef, stripe: OutsideServer
) -> None:
    endpoint = opened(company)
    first = deliver(endpoint, envelope("charge.succeeded", charge(**EUROS, balance_transaction="txn_1")))
    before = standing(company)
    close_month(company_id=company.id, month=date(2026, 5, 1), reason="done", actor="t", now=NOW)
    give_key(endpoint)
    replay(first)
    assert first.state == "quarantined"
    assert "2026-05" in first.reason
    assert standing(company) == before


def test_a_reversal_by_hand_is_not_undone_by_a_rate(company: CompanyRef, stripe: OutsideServer) -> None:
    from ledger.services.reverse import reverse

    endpoint = opened(company)
    first = deliver(endpoint, envelope("charge.succeeded", charge(**EUROS, balance_transaction="txn_1")))
    (event,) = entries(company)
    reverse(company_id=company.id, event_id=event.event_id, reason="a test payment", actor="ann", now=NOW)
    give_key(endpoint)
    replay(first)
    assert "ch_1" not in {reference for _, reference, *_ in standing(company)}


def test_books_in_the_payments_own_currency_have_no_rate_to_revise(stripe: OutsideServer, db: None) -> None:
    company = open_company("emil", currency="EUR", timezone="Europe/Berlin")
    endpoint = opened(company)
    first = deliver(endpoint, envelope("charge.succeeded", charge(**EUROS, balance_transaction="txn_1")))
    give_key(endpoint)
    replay(first)
    assert first.corrected == 0
    assert ("income", "ch_1", Decimal(100), "EUR", Decimal(100), "same") in standing(company)


def test_money_settled_in_a_third_currency_goes_on_by_the_published_rate(company: CompanyRef) -> None:
    """Paid in euros, settled in pounds, the books in dollars."""
    pounds = transaction("txn_1", 8_614, "gbp", fee=275, exchange_rate=0.8614)
    endpoint = opened(company)
    delivery = deliver(endpoint, envelope("charge.succeeded", charge(**EUROS, balance_transaction=pounds)))
    assert (delivery.state, delivery.recorded) == ("done", 4)
    onward = rate(currency="GBP", base="USD", on=entries(company)[0].occurred_at.date()).rate
    worth = (Decimal("86.14") * onward).quantize(Decimal("0.000001"))
    books = {
        (kind, currency): (amount, base, source) for kind, _, amount, currency, base, source in standing(company)
    }
    assert books["income", "EUR"] == (Decimal(100), worth, "stripe+ecb")
    assert books["transfer", "EUR"] == (Decimal(100), worth, "stripe+ecb")
    assert books["transfer", "GBP"] == (Decimal("86.14"), worth, "ecb")
    assert books["expense", "GBP"][:1] == (Decimal("2.75"),)
    assert held(company) == {("stripe", "GBP"): Decimal("83.39")}


def test_a_reconciled_payout_brings_the_rates_refunds_and_fees_that_it_is_the_sum_of(
    company: CompanyRef, stripe: OutsideServer
) -> None:
    endpoint = opened(company)
    deliver(endpoint, envelope("charge.succeeded", charge(**EUROS)))
    refund = {
        "id": "re_1",
        "object": "refund",
        "amount": 1000,
        "currency": "eur",
        "created": CREATED,
        "charge": "ch_1",
        "status": "succeeded",
    }
    parts = [
        {**SETTLED, "type": "charge", "source": charge(**EUROS)},
        {**transaction("txn_2", -1100, "usd"), "type": "refund", "source": refund},
        {**transaction("txn_3", -200, "usd"), "type": "stripe_fee", "source": None, "description": "Billing"},
        {**transaction("txn_4", -9323, "usd"), "type": "payout", "source": payout("paid")},
    ]
    stripe.on("/v1/balance_transactions", Reply(200, {"data": parts, "has_more": False}))
    done = payout("paid", amount=9323, automatic=True, reconciliation_status="completed")
    delivery = deliver(give_key(endpoint), envelope("payout.reconciliation_completed", done, created=CREATED + 9))
    assert (delivery.state, delivery.reason) == ("done", "")
    books = standing(company)
    assert ("income", "ch_1", Decimal(100), "EUR", Decimal("109.73"), "stripe") in books
    assert ("expense", "re_1", Decimal(10), "EUR", Decimal(11), "stripe") in books
    assert ("expense", "txn_3", Decimal(2), "USD", Decimal(2), "same") in books
    assert held(company) == {("bank", "USD"): Decimal("93.23")}, "the payout empties the account, fees and all"


def test_credentials_stay_sealed(company: CompanyRef) -> None:
    endpoint = give_key(opened(company))
    assert endpoint.credentials == {"api_key": KEY}
    assert KEY.encode() not in bytes(WebhookEndpoint.objects.get(pk=endpoint.id).credentials)
