"""Trying again: what is worth it, how often, and when never."""

from collections.abc import Callable

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from ledger.services import transient
from ledger.services.transient import MAX_ATTEMPTS, try_again


def failing(error: type[psycopg.Error], times: int) -> tuple[Callable[[], str], list[int]]:
    calls: list[int] = []

    def write() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise OperationalError("refused") from error("refused")
        return "written"

    return write, calls


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(transient.time, "sleep", slept.append)
    return slept


@pytest.mark.parametrize(
    "error",
    [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, psycopg.errors.LockNotAvailable],
)
def test_a_transient_failure_is_tried_again(
    error: type[psycopg.Error], pauses: list[float], committed_db: str
) -> None:
    write, calls = failing(error, times=2)
    assert try_again(write) == "written"
    assert (len(calls), len(pauses)) == (3, 2)


def test_pauses_grow_and_stay_below_a_second(pauses: list[float], committed_db: str) -> None:
    write, _ = failing(psycopg.errors.DeadlockDetected, times=MAX_ATTEMPTS)
    with pytest.raises(OperationalError):
        try_again(write)
    assert len(pauses) == MAX_ATTEMPTS - 1
    assert all(0 < pause <= 1 for pause in pauses)
    assert pauses[-1] > pauses[0]


def test_another_failure_is_not(pauses: list[float], committed_db: str) -> None:
    write, calls = failing(psycopg.errors.DiskFull, times=1)
    with pytest.raises(OperationalError):
        try_again(write)
    assert (len(calls), pauses) == (1, [])


def test_inside_a_transaction_of_the_caller_nothing_is(pauses: list[float], committed_db: str) -> None:
    write, calls = failing(psycopg.errors.DeadlockDetected, times=1)
    with transaction.atomic():
        assert connection.in_atomic_block
        with pytest.raises(OperationalError):
            try_again(write)
    assert len(calls) == 1
