"""Several workers on one delivery or one bank, and replays while it is worked on: everything once."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from ledger.domain.company import CompanyRef
from ledger.domain.intake import Fate
from ledger.models.delivery import Delivery
from ledger.models.event import CapitalEvent
from ledger.models.plaid import PlaidItem, PlaidWalk
from ledger.providers.plaid_api import PlaidClient
from ledger.selectors.audit import audit
from ledger.services import deliveries
from ledger.services.deliveries import keep_delivery, release_for_replay, waiting_deliveries, work_on_delivery
from ledger.services.plaid_queue import LEASE
from ledger.services.plaid_sync import Walked, walk
from ledger.services.sealed_secrets import seal
from tests.ledger.conftest import NOW
from tests.ledger.providers.outside_server import outside_server
from tests.ledger.providers.plaid_server import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ITEM,
    SECRET,
    PlaidServer,
    plaid_error,
    row,
)
from tests.ledger.providers.stripe_events import charge, envelope
from tests.ledger.services.test_concurrency import at_once
from tests.ledger.services.test_deliveries import opened

PATIENCE_SECONDS = 30


@pytest.fixture
def delivery(committed_company: CompanyRef) -> int:
    """A charge that waits for a worker."""
    endpoint = opened(committed_company)
    return keep_delivery(endpoint=endpoint, raw=envelope("charge.succeeded", charge()), headers={}, now=NOW)


class Stop:
    """A place in a worker's way where the first who comes waits until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self._first = threading.Lock()

    def pass_by(self) -> None:
        if self._first.acquire(blocking=False):
            self.reached.set()
            assert self.go_on.wait(PATIENCE_SECONDS)


@contextmanager
def held_up[T](stop: Stop, work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Start work in a thread that is held up at a stop; yield what lets it go and returns its result."""

    def run() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)

        def let_go() -> T:
            stop.go_on.set()
            return running.result(PATIENCE_SECONDS)

        try:
            assert stop.reached.wait(PATIENCE_SECONDS)
            yield let_go
        finally:
            stop.go_on.set()


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Stop:
    """Hold the first worker up when it has read a delivery and not yet recorded it."""
    stop = Stop()
    read_intake = deliveries.read_intake

    def read(*given: Any, **named: Any) -> Any:
        stop.pass_by()
        return read_intake(*given, **named)

    monkeypatch.setattr(deliveries, "read_intake", read)
    return stop


def work(delivery: int, *, at: datetime = NOW) -> str:
    return work_on_delivery(delivery_pk=delivery, clock=lambda: at)


def is_recorded_once(company: CompanyRef) -> bool:
    kept = Delivery.objects.get()
    assert (kept.state, kept.items, kept.recorded, kept.claimed_at) == ("done", 1, 1, None)
    assert CapitalEvent.objects.count() == 1
    assert [finding.difference for finding in audit(companies=[company]) if finding.difference] == []
    return True


def test_many_workers_on_one_delivery_record_it_once(committed_company: CompanyRef, delivery: int) -> None:
    states = Counter(at_once(lambda _: work(delivery)))
    assert states == {"done": 1, "not due": 7}
    assert is_recorded_once(committed_company)


def test_a_worker_taken_for_dead_records_nothing_when_it_wakes(
    committed_company: CompanyRef, delivery: int, stop: Stop
) -> None:
    later = NOW + deliveries.LEASE + timedelta(seconds=1)
    with held_up(stop, lambda: work(delivery)) as let_go:
        assert work(delivery, at=later - timedelta(minutes=1)) == "not due"
        assert work(delivery, at=later) == "done"
        assert let_go() == "not due"
    assert is_recorded_once(committed_company)


def test_two_workers_who_record_at_the_same_moment_record_once(
    committed_company: CompanyRef, delivery: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has taken the delivery over and waits for the row that the first has locked."""
    stop = Stop()
    record_intake = deliveries.record_intake

    def record(*given: Any, **named: Any) -> Any:
        stop.pass_by()
        return record_intake(*given, **named)

    monkeypatch.setattr(deliveries, "record_intake", record)
    with held_up(stop, lambda: work(delivery)) as let_go, ThreadPoolExecutor(1) as pool:

        def follow() -> str:
            try:
                return work(delivery, at=NOW + deliveries.LEASE + timedelta(seconds=1))
            finally:
                connections.close_all()

        following = pool.submit(follow)
        assert let_go() == "done"
        assert following.result(PATIENCE_SECONDS) == "not due"
    assert is_recorded_once(committed_company)


def test_a_delivery_in_hand_is_not_replayed_and_can_be_afterwards(
    committed_company: CompanyRef, delivery: int, stop: Stop
) -> None:
    with held_up(stop, lambda: work(delivery)) as let_go:
        assert not release_for_replay(delivery_pk=delivery, now=NOW)
        assert waiting_deliveries(now=NOW) == []
        assert let_go() == "done"
    assert release_for_replay(delivery_pk=delivery, now=NOW)
    assert work(delivery) == "done"
    assert is_recorded_once(committed_company)


def test_a_replay_takes_a_delivery_from_a_worker_taken_for_dead(
    committed_company: CompanyRef, delivery: int, stop: Stop
) -> None:
    later = NOW + deliveries.LEASE + timedelta(seconds=1)
    with held_up(stop, lambda: work(delivery)) as let_go:
        assert release_for_replay(delivery_pk=delivery, now=later)
        assert let_go() == "not due"
        assert Delivery.objects.get().state == "waiting"
        assert work(delivery, at=later) == "done"
    assert is_recorded_once(committed_company)


# --- Walks through one bank ----------------------------------------------------------------------------------


@pytest.fixture
def plaid() -> Iterator[PlaidServer]:
    with outside_server() as outside:
        yield PlaidServer(outside)


@pytest.fixture
def item(committed_company: CompanyRef) -> PlaidItem:
    return PlaidItem.objects.create(
        company_id=committed_company.id, item_id=ITEM, access_token=seal(ACCESS_TOKEN), created_at=NOW
    )


def walk_on(plaid: PlaidServer, item: PlaidItem, *, at: datetime = NOW, stop: Stop | None = None) -> Walked:
    class HeldUp(PlaidClient):
        def sync_page(self, *, access_token: str, cursor: str) -> Any:
            try:
                return super().sync_page(access_token=access_token, cursor=cursor)
            finally:
                if stop is not None:
                    stop.pass_by()

    client = HeldUp(base_url=plaid.url, client_id=CLIENT_ID, secret=SECRET)
    return walk(item_number=item.id, client=client, clock=lambda: at)


def test_many_walks_of_one_bank_move_its_cursor_once(
    committed_company: CompanyRef, plaid: PlaidServer, item: PlaidItem
) -> None:
    plaid.page(row("a", 10), row("b", 5))
    walked = at_once(lambda _: walk_on(plaid, item))
    assert Counter(each.status for each in walked)["recorded"] >= 1
    assert sum(each.outcome.count(Fate.RECORDED) for each in walked) == 2
    item.refresh_from_db()
    assert (item.cursor, item.claimed_at, CapitalEvent.objects.count()) == ("1", None, 2)
    assert [finding.difference for finding in audit(companies=[committed_company]) if finding.difference] == []


def test_a_walk_that_was_overtaken_leaves_the_cursor_and_the_rows_of_the_other(
    plaid: PlaidServer, item: PlaidItem
) -> None:
    plaid.page(row("a", 10))
    stop = Stop()
    later = NOW + LEASE + timedelta(seconds=1)
    with held_up(stop, lambda: walk_on(plaid, item, stop=stop)) as let_go:
        # The bank's row has changed since the first walk read it.
        plaid.page(modified=[row("a", 12)])
        assert walk_on(plaid, item, at=later).status == "recorded"
        overtaken = let_go()
    assert (overtaken.status, overtaken.reason) == ("nothing to do", "somebody else moved the cursor")
    item.refresh_from_db()
    assert (item.cursor, item.synced_at, PlaidWalk.objects.count()) == ("2", later, 1)
    assert [event.amount for event in CapitalEvent.objects.all()] == [12]


def test_the_trouble_of_an_overtaken_walk_does_not_end_the_work_of_the_other(
    plaid: PlaidServer, item: PlaidItem
) -> None:
    plaid.errors = [plaid_error("ITEM_LOGIN_REQUIRED", "ITEM_ERROR")]
    first, second = Stop(), Stop()
    later = NOW + LEASE + timedelta(seconds=1)
    with held_up(first, lambda: walk_on(plaid, item, stop=first)) as let_first_go:
        plaid.page(row("a", 10))
        with held_up(second, lambda: walk_on(plaid, item, at=later, stop=second)) as let_second_go:
            assert let_first_go().status == "nothing to do"
            item.refresh_from_db()
            assert (item.claimed_at, item.silent) == (later, False)
            assert let_second_go().status == "recorded"
    assert CapitalEvent.objects.count() == 1
