"""Hints that a journal moved: gathered in a web process, at once elsewhere, never an error for the recorder."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.services import announce
from ledger.services.announce import announce_advance
from ledger.services.companies import create_company
from ledger.services.statements import state_balance
from ledger.signals import journal_advanced


@pytest.fixture
def heard() -> Iterator[list[tuple[int, int, str]]]:
    hints: list[tuple[int, int, str]] = []

    def listen(*, company_id: int, position: int, **_: Any) -> None:
        hints.append((company_id, position, threading.current_thread().name))

    journal_advanced.connect(listen)
    yield hints
    journal_advanced.disconnect(listen)


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_command_tells_at_once(committed_db: str, heard: list) -> None:
    announce_advance(company_id=1, position=5)
    assert [hint[:2] for hint in heard] == [(1, 5)]


def test_a_stated_balance_is_told_once_like_a_move(committed_db: str, heard: list) -> None:
    now = datetime(2026, 5, 4, 9, tzinfo=UTC)
    company = create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=now)
    for _ in range(2):
        state_balance(
            company_id=company.pk,
            currency="USD",
            amount=Decimal(1000),
            day=now.date(),
            origin="typed",
            actor="somebody",
            now=now,
        )
    assert [hint[:2] for hint in heard] == [(company.pk, 0)]


def test_a_web_process_tells_at_once_then_gathers_and_tells_the_last_position(
    committed_db: str, heard: list, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROCESS = "web"
    # So long that a machine that does much else hands over everything below meanwhile.
    gather_seconds = 3.0
    monkeypatch.setattr(announce, "GATHER_SECONDS", gather_seconds)
    monkeypatch.setattr(announce, "_herald", announce._Herald())
    begun = time.monotonic()
    announce_advance(company_id=1, position=0)
    wait_for(lambda: len(heard) >= 1)
    assert time.monotonic() - begun < gather_seconds
    for position in range(1, 51):
        announce_advance(company_id=1, position=position)
        announce_advance(company_id=2, position=position)
    assert len(heard) == 1
    wait_for(lambda: len(heard) >= 3)
    assert heard[0][:2] == (1, 0)
    assert sorted(hint[:2] for hint in heard[1:]) == [(1, 50), (2, 50)]
    assert {hint[2] for hint in heard} == {"journal-herald"}


def test_a_slow_or_failing_receiver_neither_delays_nor_stops_a_web_process(
    committed_db: str, heard: list, settings: Any
) -> None:
    settings.PROCESS = "web"

    told = threading.Event()

    def fail(**_: Any) -> None:
        assert told.wait(timeout=5), "whoever announced waited for this"
        raise ConnectionError("Redis is down")

    journal_advanced.connect(fail)
    try:
        announce_advance(company_id=1, position=1)
        told.set()
        wait_for(lambda: (1, 1, "journal-herald") in heard)
        announce_advance(company_id=1, position=2)
        wait_for(lambda: (1, 2, "journal-herald") in heard)
    finally:
        journal_advanced.disconnect(fail)
