"""How long a run waits for what, and the two ways in which its work ends before everything is done."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom

from django.utils import timezone

# A request whose answer got lost may still be under way for so long: only then does looking settle it.
DOUBT = timedelta(seconds=20)
LOOK_EVERY = timedelta(seconds=5)
# What is not there by then, as a database that stops may be, is looked at now and then, and given up in the end.
ARRIVE_WITHIN = timedelta(minutes=15)
LOOK_LATER = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=2)
# Others wait for the worker, too: what takes longer goes on in another job.
WORK_FOR = timedelta(minutes=1)
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)
MAX_ATTEMPTS = 12

_chance = SystemRandom()


@dataclass(frozen=True, slots=True)
class Clock:
    """The time, and waiting for it; tests have their own."""

    now: Callable[[], datetime] = timezone.now
    sleep: Callable[[float], None] = time.sleep


class RunEnds(Exception):
    """The run ends here; the message says why."""


class RunIsPutOff(Exception):
    """The run goes on later; the message says why.

    Attributes:
        after: how much later; None when the cloud could not be asked, and the wait grows with every time in a row.
    """

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


def wait_before(*, attempt: int) -> timedelta:
    """How long to leave the cloud alone before it is asked again, for the n-th time in a row, from 1.

    With jitter, so that those who were throttled together do not come back together.
    """
    longer: timedelta = FIRST_WAIT * 2 ** (attempt - 1)
    return min(LONGEST_WAIT, longer) * _chance.uniform(0.75, 1.25)
