"""Work alongside keeps its order, loses no result and hides no failure."""

import threading
from typing import Any

import pytest
from django.db import connection

from ledger.services.alongside import Alongside


def run(count: int, work: Any) -> list[Any]:
    made = []
    with Alongside(work) as alongside:
        for number in range(count):
            made += alongside.hand_over(number, is_last=number == count - 1)
    return made


def test_everything_is_made_in_order_and_by_one_thread_alongside(committed_db: str) -> None:
    made = run(20, lambda number, _: (number, threading.current_thread().name))
    assert [number for number, _ in made] == list(range(20))
    assert len({name for _, name in made}) == 1
    assert made[0][1] != threading.current_thread().name


def test_a_single_thing_needs_no_thread(committed_db: str) -> None:
    assert run(1, lambda *_: threading.current_thread()) == [threading.current_thread()]


@pytest.mark.django_db
def test_inside_a_transaction_it_is_the_transaction_s_own_connection() -> None:
    assert run(3, lambda *_: connection.in_atomic_block) == [True] * 3


def test_a_failure_reaches_the_caller_and_ends_the_work(committed_db: str) -> None:
    done: list[int] = []

    def work(number: int, _: Any) -> None:
        done.append(number)
        if number == 1:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run(10, work)
    assert done == [0, 1]


def test_what_was_handed_over_is_finished_when_the_caller_fails(committed_db: str) -> None:
    done: list[int] = []

    def fail_after_handing_over() -> None:
        with Alongside(lambda number, _: done.append(number)) as alongside:
            alongside.hand_over(1, is_last=False)
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_handing_over()
    assert done == [1]


def test_its_connection_is_closed_at_the_end(committed_db: str) -> None:
    def work(*_: Any) -> Any:
        connection.ensure_connection()
        return connection.connection

    assert all(made.closed for made in run(3, work))


def test_the_caller_goes_on_once_the_work_waits(committed_db: str) -> None:
    order: list[str] = []
    gone_on = threading.Event()

    def work(number: int, waits: Any) -> None:
        order.append(f"computes {number}")
        waits()
        assert gone_on.wait(timeout=30)
        order.append(f"done {number}")

    with Alongside(work) as alongside:
        alongside.hand_over(1, is_last=False)
        order.append("goes on")
        gone_on.set()
        alongside.hand_over(2, is_last=True)
    assert order == ["computes 1", "goes on", "done 1", "computes 2", "done 2"]
