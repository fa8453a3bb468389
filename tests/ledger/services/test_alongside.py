"""Work alongside keeps its order, loses no result and hides no failure."""

import threading
from typing import Any

import pytest
from django.db import connection

from ledger.services.alongside import AT_ONCE, Alongside, Turn


def run(count: int, work: Any) -> list[Any]:
    made = []
    with Alongside(work) as alongside:
        for number in range(count):
            made += alongside.hand_over(number, is_last=number == count - 1)
    return made


def test_everything_is_made_in_order_and_by_two_threads_alongside(committed_db: str) -> None:
    made = run(20, lambda number, _: (number, threading.get_ident()))
    assert [number for number, _ in made] == list(range(20))
    assert len({thread for _, thread in made}) == AT_ONCE
    assert threading.get_ident() not in {thread for _, thread in made}


def test_a_single_thing_needs_no_thread(committed_db: str) -> None:
    assert run(1, lambda *_: threading.current_thread()) == [threading.current_thread()]


@pytest.mark.django_db
def test_inside_a_transaction_it_is_the_transaction_s_own_connection() -> None:
    assert run(3, lambda *_: connection.in_atomic_block) == [True] * 3


def test_a_failure_reaches_the_caller_and_those_after_it_give_up(committed_db: str) -> None:
    done: list[int] = []

    def work(number: int, turn: Turn) -> None:
        turn.waits()
        turn.comes()
        if number == 1:
            raise ValueError("no")
        done.append(number)

    with pytest.raises(ValueError, match="no"):
        run(10, work)
    assert done == [0]


def test_what_was_handed_over_is_finished_when_the_caller_fails(committed_db: str) -> None:
    done: list[int] = []

    def fail_after_handing_over() -> None:
        with Alongside(lambda number, _: done.append(number)) as alongside:
            alongside.hand_over(1, is_last=False)
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_handing_over()
    assert done == [1]


def test_its_connections_are_closed_at_the_end(committed_db: str) -> None:
    def work(*_: Any) -> Any:
        connection.ensure_connection()
        return connection.connection

    assert all(made.closed for made in run(3, work))


def test_the_caller_goes_on_once_the_work_waits(committed_db: str) -> None:
    order: list[str] = []
    gone_on = threading.Event()

    def work(number: int, turn: Turn) -> None:
        order.append(f"computes {number}")
        turn.waits()
        assert gone_on.wait(timeout=30)
        order.append(f"done {number}")

    with Alongside(work) as alongside:
        alongside.hand_over(1, is_last=False)
        order.append("goes on")
        gone_on.set()
        alongside.hand_over(2, is_last=True)
    assert order[:2] == ["computes 1", "goes on"]
    assert sorted(order[2:]) == ["computes 2", "done 1", "done 2"]


def test_a_first_half_runs_while_the_second_one_before_it_does(committed_db: str) -> None:
    order: list[str] = []
    both = threading.Event()

    def work(number: int, turn: Turn) -> None:
        turn.waits()
        turn.await_preparation()
        order.append(f"first half of {number}")
        turn.prepared()
        if number == 2:
            both.set()
        assert turn.comes()
        assert both.wait(timeout=30)
        order.append(f"second half of {number}")

    run(3, lambda number, turn: work(number + 1, turn))
    assert order[:2] == ["first half of 1", "first half of 2"]
    assert [text for text in order if "second" in text] == [f"second half of {number}" for number in (1, 2, 3)]
    assert order.index("first half of 3") > order.index("second half of 1")


def test_who_prepared_after_one_that_stumbles_is_told_and_waits_for_its_end(committed_db: str) -> None:
    order: list[str] = []
    prepared, told = threading.Event(), threading.Event()

    def first(turn: Turn) -> None:
        turn.waits()
        turn.prepared()
        assert prepared.wait(timeout=30)
        turn.stumbles()
        assert told.wait(timeout=30)
        order.append("first")

    def second(turn: Turn) -> None:
        turn.await_preparation()
        prepared.set()
        assert not turn.comes()
        told.set()
        turn.await_end()
        order.append("second")
        assert turn.comes()

    run(2, lambda number, turn: (first, second)[number](turn))
    assert order == ["first", "second"]


def test_one_that_is_done_early_ends_after_the_one_before(committed_db: str) -> None:
    order: list[int] = []
    early = threading.Event()

    def work(number: int, turn: Turn) -> None:
        turn.waits()
        if number == 1:
            early.set()
            return
        if number == 0:
            assert early.wait(timeout=30)
            assert not threading.Event().wait(0.05)
        turn.await_end()
        order.append(number)

    run(3, work)
    assert order == [0, 2]
