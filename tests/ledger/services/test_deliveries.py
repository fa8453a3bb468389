"""Deliveries, from the bytes to the journal."""

import itertools
import json
import random
import signal
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from ledger.domain.company import CompanyRef
from ledger.models.credit_note import CreditNote
from ledger.models.delivery import Delivery, DeliveryState
from ledger.models.endpoint import EndpointSecret
from ledger.models.service_period import ServicePeriod
from ledger.providers.stripe import INVOICE_SETTLED, READERS
from ledger.selectors.deferred_revenue import deferred_revenue
from ledger.selectors.journal import journal_position, list_events
from ledger.services import deliveries
from ledger.services.daily_flows import catch_up
from ledger.services.deliveries import keep_delivery, keep_refused, release_for_replay, work_on_delivery
from ledger.services.endpoints import (
    InvalidEndpoint,
    OpenedEndpoint,
    add_secret,
    create_endpoint,
    open_endpoint_numbered,
    retire_old_secrets,
)
from ledger.services.sealed_secrets import SealBroken
from tests.ledger.conftest import NOW, open_company
from tests.ledger.providers.stripe_events import CREATED, SECRET, charge, envelope, payout, transaction
from tests.ledger.providers.test_stripe import credit_note, invoice


@pytest.fixture
def endpoint(company: CompanyRef) -> OpenedEndpoint:
    return opened(company)


def opened(company: CompanyRef, provider: str = "stripe", **more: Any) -> OpenedEndpoint:
    made = create_endpoint(
        company_id=company.id,
        provider_name=provider,
        name=provider,
        actor="t",
        now=NOW,
        secret=SECRET if provider == "stripe" else "",
        **more,
    )
    return open_endpoint_numbered(endpoint_pk=made.id)


def deliver(endpoint: OpenedEndpoint, raw: bytes) -> Delivery:
    number = keep_delivery(endpoint=endpoint, raw=raw, headers={"cookie": "x", "user-agent": "Stripe"}, now=NOW)
    work_on_delivery(delivery_pk=number, clock=lambda: NOW)
    return Delivery.objects.get(pk=number)


def standing(company: CompanyRef) -> dict[tuple, Decimal]:
    """Sum per account, currency and reference, reversals included."""
    sums: dict[tuple, Decimal] = {}
    for entry in list_events(company_id=company.id, limit=1000).entries:
        key = (entry.account, entry.currency, entry.external_ref)
        sums[key] = sums.get(key, Decimal(0)) + (entry.amount if entry.direction == "in" else -entry.amount)
    return {key: total for key, total in sums.items() if total}


def test_a_delivery_becomes_events_and_a_repeat_under_another_id_is_a_duplicate(
    company: CompanyRef, endpoint: OpenedEndpoint
) -> None:
    first = deliver(endpoint, envelope("charge.succeeded", charge()))
    assert (first.state, first.recorded, first.headers) == ("done", 1, {"user-agent": "Stripe"})
    again = deliver(endpoint, envelope("charge.succeeded", charge(), id="evt_other", created=CREATED + 5))
    assert (again.state, again.recorded, again.duplicate) == ("done", 0, 1)
    assert standing(company) == {("stripe", "USD", "ch_1"): Decimal("10.50")}


def test_stripes_rate_goes_before_the_published_one(company: CompanyRef, endpoint: OpenedEndpoint) -> None:
    thing = charge(currency="eur", amount=10_000, balance_transaction=transaction("txn_1", 10_973, "usd", fee=350))
    assert deliver(endpoint, envelope("charge.succeeded", thing)).recorded == 4
    (income,) = [e for e in list_events(company_id=company.id).entries if e.event_type == "income"]
    assert (income.fx_source, income.fx_rate, income.base_amount) == (
        "stripe",
        Decimal("1.0973"),
        Decimal("109.73"),
    )
    held: dict[str, Decimal] = {}
    for (_, currency, _), amount in standing(company).items():
        held[currency] = held.get(currency, Decimal(0)) + amount
    assert {currency: amount for currency, amount in held.items() if amount} == {"USD": Decimal("106.23")}


def test_a_late_word_does_not_undo_a_later_one(company: CompanyRef, endpoint: OpenedEndpoint) -> None:
    for number, order in enumerate(itertools.permutations(["pending", "failed", "pending"])):
        for status in order:
            kind, created = ("failed", CREATED + 60) if status == "failed" else ("created", CREATED)
            thing = payout(status, id=f"po_{number}")
            assert deliver(endpoint, envelope(f"payout.{kind}", thing, created=created)).state == "done"
        assert standing(company) == {}, order


def test_stripes_samples_in_any_order_three_times_end_at_the_same(shared_data: Path, db: None) -> None:
    samples = [file.read_bytes() for file in sorted((shared_data / "stripe-webhook-events").glob("*.json"))]
    samples = [raw for raw in samples if json.loads(raw).get("type") in READERS.keys() | INVOICE_SETTLED]
    endings = set()
    for seed in range(2):
        shop = open_company(f"shop-{seed}")
        endpoint, draw, rows = opened(shop), random.Random(seed), set()
        for _ in range(3):
            draw.shuffle(samples)
            assert {deliver(endpoint, raw).state for raw in samples} == {"done", "ignored"}
            rows.add(journal_position(company_id=shop.id))
        assert len(rows) == 1
        endings.add(frozenset(standing(shop).items()))
    assert len(endings) == 1


def test_a_failed_payout_takes_both_legs_back(company: CompanyRef, endpoint: OpenedEndpoint) -> None:
    deliver(endpoint, envelope("payout.paid", payout("paid")))
    assert len(standing(company)) == 2
    failed = deliver(endpoint, envelope("payout.failed", payout("failed"), created=CREATED + 9))
    assert (failed.state, failed.items, failed.taken_back) == ("done", 1, 1)
    assert standing(company) == {}


# The examples of one test share a database.
_fresh = itertools.count()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(st.sampled_from([1000, 1100, 1200]), min_size=1, max_size=5),
    data=st.data(),
)
def test_the_last_word_stands_whatever_the_order(
    company: CompanyRef, amounts: list[int], data: st.DataObject
) -> None:
    """10, 11, 10 ends at 10, also when the deliveries overtake each other and come twice."""
    reference = f"ch_{next(_fresh)}"
    said = [
        envelope("charge.updated", charge(reference, amount=amount), created=CREATED + place)
        for place, amount in enumerate(amounts)
    ]
    order = data.draw(st.permutations(said + said))
    made = create_endpoint(
        company_id=company.id, provider_name="stripe", name=reference, actor="t", now=NOW, secret=SECRET
    )
    endpoint = open_endpoint_numbered(endpoint_pk=made.id)
    for raw in order:
        assert deliver(endpoint, raw).state == "done"
    mine = {key: total for key, total in standing(company).items() if key[2] == reference}
    assert mine == {("stripe", "USD", reference): Decimal(amounts[-1]) / 100}


def test_a_correction_is_a_reversal_and_the_next_revision(company: CompanyRef, endpoint: OpenedEndpoint) -> None:
    for place, amount in enumerate([1000, 1100, 1000]):
        deliver(endpoint, envelope("charge.updated", charge(amount=amount), created=CREATED + place))
    entries = list_events(company_id=company.id).entries
    assert [(e.amount, e.revision, bool(e.reverses)) for e in entries] == [
        (Decimal(10), 0, False),
        (Decimal(10), 0, True),
        (Decimal(11), 1, False),
        (Decimal(11), 1, True),
        (Decimal(10), 2, False),
    ]
    assert entries[1].reverses == entries[0].event_id
    assert entries[1].reason == "Corrected by Stripe: other amount"


def test_an_invoice_keeps_its_periods_once(company: CompanyRef, endpoint: OpenedEndpoint) -> None:
    for _ in range(2):
        assert deliver(endpoint, envelope("invoice.paid", invoice())).state == "done"
    kept = ServicePeriod.objects.get(company_id=company.id)
    assert (kept.external_ref, kept.amount, kept.revision) == ("ch_1", Decimal("100.80"), 0)


def test_a_credit_note_is_kept_once_and_a_voided_one_takes_it_back(
    company: CompanyRef, endpoint: OpenedEndpoint
) -> None:
    deliver(endpoint, envelope("charge.succeeded", charge(amount=12_900)))
    deliver(endpoint, envelope("invoice.paid", invoice()))
    catch_up(company_id=company.id)

    def unearned_at_the_end() -> Decimal:
        found = deferred_revenue(
            company_id=company.id, timezone=company.timezone, start=date(2026, 5, 28), end=date(2026, 6, 15)
        )
        return found.unearned[-1]

    whole = unearned_at_the_end()
    fifth: dict[str, Any] = {"total": 2400, "post_payment_amount": 2400, "refunds": []}
    fifth["lines"] = [{"amount": 2000, "invoice_line_item": "il_1"}]
    for _ in range(2):
        delivery = deliver(endpoint, envelope("credit_note.created", credit_note(**fifth)))
        assert (delivery.state, delivery.reason) == ("done", "")
    assert CreditNote.objects.get(company_id=company.id).document == "in_1"
    assert unearned_at_the_end() == pytest.approx(whole - 20, abs=2), "less what is earned of it meanwhile"
    gone = credit_note(**fifth, status="void")
    deliver(endpoint, envelope("credit_note.voided", gone, created=CREATED + 60))
    late = deliver(endpoint, envelope("credit_note.updated", credit_note(**fifth), created=CREATED + 30))
    assert late.state == "done"
    assert unearned_at_the_end() == whole
    voided = deliver(endpoint, envelope("invoice.voided", invoice(status="void"), created=CREATED + 90))
    assert voided.state == "done"
    assert unearned_at_the_end() == 0


def test_what_cannot_be_read_is_quarantined_and_a_replay_reads_it_again(
    company: CompanyRef, endpoint: OpenedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("a bug of ours")

    with monkeypatch.context() as patch:
        patch.setitem(deliveries.__dict__, "read_intake", broken)
        delivery = deliver(endpoint, envelope("charge.succeeded", charge()))
    assert (delivery.state, delivery.reason) == ("quarantined", "KeyError: 'a bug of ours'")
    for recorded in (1, 1):
        assert release_for_replay(delivery_pk=delivery.pk, now=NOW)
        assert work_on_delivery(delivery_pk=delivery.pk, clock=lambda: NOW) == "done"
        delivery.refresh_from_db()
        assert (delivery.recorded, delivery.duplicate) == (recorded, 0)


def test_what_the_database_fails_is_tried_again_later(
    endpoint: OpenedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any, **__: Any) -> Any:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setitem(deliveries.__dict__, "record_intake", down)
        delivery = deliver(endpoint, envelope("charge.succeeded", charge()))
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    assert delivery.due_at > NOW
    assert work_on_delivery(delivery_pk=delivery.pk, clock=lambda: NOW) == "not due"
    assert work_on_delivery(delivery_pk=delivery.pk, clock=lambda: NOW + timedelta(seconds=6)) == "done"


def test_a_delivery_for_which_a_job_has_not_time_enough_is_tried_again_later(
    endpoint: OpenedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: Any, **__: Any) -> Any:
        signal.raise_signal(signal.SIGALRM)

    with monkeypatch.context() as patch:
        patch.setitem(deliveries.__dict__, "read_intake", slow)
        # As rq's worker ends a job.
        with UnixSignalDeathPenalty(600, JobTimeoutException):
            delivery = deliver(endpoint, envelope("charge.succeeded", charge()))
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    assert "maximum timeout value (600 seconds)" in delivery.reason
    assert work_on_delivery(delivery_pk=delivery.pk, clock=lambda: NOW + timedelta(seconds=6)) == "done"


def test_a_bad_event_quarantines_the_delivery_and_the_good_ones_are_recorded(company: CompanyRef) -> None:
    good = {
        "source": "erp",
        "event_type": "expense",
        "amount": "4.50",
        "currency": "USD",
        "occurred_at": "2026-06-01T14:00:00Z",
        "external_ref": "1",
    }
    raw = json.dumps([good, {**good, "amount": "-1", "external_ref": "2"}]).encode()
    endpoint = opened(company, "generic")
    delivery = deliver(endpoint, raw)
    assert (delivery.state, delivery.recorded, delivery.rejected) == ("quarantined", 1, 1)
    assert delivery.reason == "[1].amount: must be greater than zero"
    assert deliver(endpoint, b"5").reason == "must be a JSON object"


def test_refused_deliveries_do_not_fill_the_disk(company: CompanyRef, endpoint: OpenedEndpoint) -> None:
    kept = [keep_refused(endpoint=endpoint, raw=b"x" * 9000, reason="no", now=NOW) for _ in range(120)]
    assert sum(kept) == deliveries.REFUSED_PER_HOUR
    later = NOW + timedelta(hours=2)
    for _ in range(30):
        assert keep_refused(endpoint=endpoint, raw=b"y", reason="no", now=later)
    refused = Delivery.objects.filter(company_id=company.id, state=DeliveryState.REFUSED)
    assert refused.count() == deliveries.REFUSED_KEPT
    assert max(len(bytes(row.body)) for row in refused) == deliveries.REFUSED_BYTES


def test_secrets_lie_sealed_and_two_are_active_during_a_rotation(endpoint: OpenedEndpoint) -> None:
    assert all(SECRET.encode() not in bytes(kept.sealed) for kept in EndpointSecret.objects.all())
    add_secret(endpoint_pk=endpoint.id, secret="whsec_second", now=NOW + timedelta(1))
    assert open_endpoint_numbered(endpoint_pk=endpoint.id).secrets == ("whsec_second", SECRET)
    assert retire_old_secrets(endpoint_pk=endpoint.id, now=NOW + timedelta(3)) == 1
    assert open_endpoint_numbered(endpoint_pk=endpoint.id).secrets == ("whsec_second",)


def test_a_third_secret_is_refused_until_the_oldest_is_retired(endpoint: OpenedEndpoint) -> None:
    add_secret(endpoint_pk=endpoint.id, secret="whsec_second", now=NOW + timedelta(1))
    with pytest.raises(InvalidEndpoint, match="2 are active"):
        add_secret(endpoint_pk=endpoint.id, secret="whsec_third", now=NOW + timedelta(2))
    assert open_endpoint_numbered(endpoint_pk=endpoint.id).secrets == ("whsec_second", SECRET)
    # A provider that tells of its next secret by itself signs with it at once; nobody is there to be asked.
    add_secret(endpoint_pk=endpoint.id, secret="whsec_third", now=NOW + timedelta(3), retire_oldest=True)
    assert open_endpoint_numbered(endpoint_pk=endpoint.id).secrets == ("whsec_third", "whsec_second")


def test_a_new_secret_key_opens_what_the_old_one_sealed_as_long_as_it_is_named(endpoint: OpenedEndpoint) -> None:
    with override_settings(SECRET_KEY="another"), pytest.raises(SealBroken):
        open_endpoint_numbered(endpoint_pk=endpoint.id)
    from django.conf import settings as current

    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[current.SECRET_KEY]):
        assert open_endpoint_numbered(endpoint_pk=endpoint.id).secrets == (SECRET,)


def test_an_endpoint_with_unknown_words_is_refused_with_all_of_them(company: CompanyRef) -> None:
    with pytest.raises(InvalidEndpoint) as refusal:
        opened(company, accounts={"purse": "bank"}, settings={"speed": 1}, credentials={"key": "x"})
    assert [error.field for error in refusal.value.errors] == [
        "accounts.purse",
        "settings.speed",
        "credentials.key",
    ]
