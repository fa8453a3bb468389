import threading

import pytest

from capstack.scheduler import Duty, keep_time

# Between duties the scheduler looks after its connection; an earlier test may have left one.
pytestmark = pytest.mark.django_db


def test_each_duty_comes_at_once_and_then_at_its_own_pace():
    stop, done = threading.Event(), []

    def often() -> None:
        done.append("often")
        if done.count("often") == 4:
            stop.set()

    keep_time(
        duties=[
            Duty(name="often", every_seconds=0.05, work=often),
            Duty(name="seldom", every_seconds=3600, work=lambda: done.append("seldom")),
        ],
        stop=stop,
    )
    assert done.count("often") == 4
    assert done.count("seldom") == 1


def test_a_duty_that_fails_comes_again_and_stops_no_other(caplog):
    stop, done = threading.Event(), []

    def failing() -> None:
        done.append("failing")
        raise ConnectionError("PostgreSQL is away")

    def other() -> None:
        done.append("other")
        if done.count("other") == 3:
            stop.set()

    keep_time(
        duties=[
            Duty(name="failing", every_seconds=0.01, work=failing),
            Duty(name="other", every_seconds=0.01, work=other),
        ],
        stop=stop,
    )
    assert done.count("failing") >= 3
    assert {record.duty for record in caplog.records} == {"failing"}
