"""Files from the browser and the real worker of the queue, which may be ended in any way."""

import os
import signal
import time
from collections.abc import Callable

import psycopg
import pytest
import redis
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from capstack.supervision.program import RunningProgram
from ledger import jobs
from ledger.domain.company import CompanyRef
from ledger.models.import_file import ImportFile
from ledger.models.user import User
from ledger.services.import_file import LEASE

LINES = 50_000
START_WORKER = Callable[[str], RunningProgram]


def line(number: int) -> str:
    return f"2026-0{number % 5 + 1}-01,-{number % 97 + 1}.50,Invoice {number}\n"


def hand_in(lines: int) -> ImportFile:
    User.objects.create_superuser("operator@example.com", "a long enough password")
    client = Client()
    client.force_login(User.objects.get())
    content = "Date,Amount,Description\n" + "".join(map(line, range(lines)))
    answer = client.post("/imports", {"file": SimpleUploadedFile("big.csv", content.encode()), "format": "auto"})
    assert answer.status_code == 302
    return ImportFile.objects.get()


def wait_until(reached: Callable[[ImportFile], bool]) -> ImportFile:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        file = ImportFile.objects.get()
        if reached(file):
            return file
        time.sleep(0.05)
    raise AssertionError(f"{file.state}, {file.lines_read} lines, {file.reason}")


def confirm(file: ImportFile) -> None:
    client = Client()
    client.force_login(User.objects.get())
    client.post(f"/imports/{file.pk}/confirm")


def test_it_takes_a_file_from_the_queue_once(
    committed_company: CompanyRef, empty_redis: "redis.Redis", start_worker: START_WORKER
) -> None:
    hand_in(5)
    # The sweeper finds it waiting too, and enqueues no second job.
    assert jobs.sweep_imports(now=timezone.now()) == 1
    assert empty_redis.llen("rq:queue:imports") == 1
    start_worker("imports")
    file = wait_until(lambda file: file.state != "checking")
    assert (file.state, file.preview["recorded"]) == ("checked", 5)


@pytest.mark.parametrize("signals", [(signal.SIGTERM, signal.SIGINT), (signal.SIGKILL,)])
def test_a_worker_that_is_ended_in_the_middle_is_followed_by_one_that_goes_on(
    signals: tuple[signal.Signals, ...],
    committed_company: CompanyRef,
    committed_db: str,
    empty_redis: "redis.Redis",
    start_worker: START_WORKER,
) -> None:
    file = hand_in(LINES)
    first = start_worker("imports")
    wait_until(lambda file: file.state == "checked")
    confirm(file)
    wait_until(lambda file: file.recorded > 0)
    for each in signals:
        os.kill(first.pid, each)
        # rq takes a second signal within a second for an echo of the first.
        time.sleep(1.1)
    first.stop()
    broken_off = ImportFile.objects.get()
    assert broken_off.state == "waiting"
    if signal.SIGKILL in signals:
        # Nobody let go of the file: its lease has to run out.
        assert jobs.sweep_imports(now=timezone.now()) == 0
        ImportFile.objects.update(claimed_at=broken_off.claimed_at - 2 * LEASE)
    else:
        assert (broken_off.claimed_at, broken_off.attempts) == (None, 0)
    start_worker("imports")
    assert jobs.sweep_imports(now=timezone.now()) == 1
    done = wait_until(lambda file: file.state == "done")
    assert done.report["resumed_after"] >= 5_000
    assert done.report["recorded"] + done.report["duplicates"] == LINES
    assert done.report["duplicates"] <= 5_000
    with psycopg.connect(committed_db) as observer:
        assert observer.execute("SELECT count(*) FROM ledger_capitalevent").fetchone() == (LINES,)
