"""Keeping a partition ready for every month that events come for."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import DatabaseError, connection, transaction

from ledger.domain.month import month_of, months_after
from ledger.services.transient import try_again

logger = logging.getLogger(__name__)

MONTHS_BACK = 24
MONTHS_AHEAD = 18
# Whoever reads the journal queues behind the one who waits for its lock, so nobody waits longer at a time.
LOCK_TIMEOUT = "500ms"
# After a lock that was not granted, recorders ask for none for so long.
REST_SECONDS = 30.0
_LOCK_NOT_GRANTED = "55P03"
# Months known to exist, per database: a partition is never removed, so what was seen once stays true.
_known: dict[str, set[date]] = {}
# Months made within a transaction that somebody else ends: they are asked for each time.
_unsure: dict[str, set[date]] = {}
# Per database, when the next may be made, in monotonic seconds.
_rest_until: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Attributes:
    made: first days of the months that got a partition.
    drained: events moved out of the DEFAULT partition, which should hold none.
    """

    made: tuple[date, ...]
    drained: int


def make_missing_months(months: Iterable[date]) -> tuple[date, ...]:
    """Make the partitions that are missing, each in a transaction of its own, and return their months.

    A month that cannot be made now (a lock that is not granted in half a second, six times over; rows of it in the
    DEFAULT partition) is left to `maintain_partitions`; its events fall into the DEFAULT partition meanwhile, and
    nothing is lost. After a lock that was not granted, no month is made for REST_SECONDS.
    """
    database = str(connection.settings_dict["NAME"])
    known, unsure = _known.setdefault(database, set()), _unsure.setdefault(database, set())
    made = []
    for month in sorted(set(months) - known):
        if time.monotonic() < _rest_until.get(database, 0.0):
            break
        try:
            is_new = _make(month)
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_GRANTED:
                _rest_until[database] = time.monotonic() + REST_SECONDS
            logger.warning(
                "partition not made, its events go to the default partition", extra={"month": str(month)}
            )
            if connection.in_atomic_block:
                raise
            continue
        if is_new:
            made.append(month)
        # What is made within a transaction of the caller may yet be rolled back, and seen by it again before that.
        if connection.in_atomic_block and (is_new or month in unsure):
            unsure.add(month)
        else:
            known.add(month)
    return tuple(made)


def forget(database: str) -> None:
    """Forget what is known of a database that was dropped: another may be given its name."""
    for known in (_known, _unsure, _rest_until):
        known.pop(database, None)


def _make(month: date) -> bool:
    def make() -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            cursor.execute("SELECT ledger_make_partition(%s)", [month])
            (made,) = cursor.fetchone()
        return bool(made)

    return try_again(make)


def maintain_partitions(*, now: datetime) -> Maintenance:
    """Make the partitions from 24 months back to 18 ahead and empty the DEFAULT partition.

    Raises:
        OperationalError: the journal is so busy that a lock was not granted in half a second, six times over.
    """
    this_month = month_of(now)
    wanted = [months_after(this_month, offset) for offset in range(-MONTHS_BACK, MONTHS_AHEAD + 1)]
    drained = try_again(_drain)
    made = [month for month in wanted if _make(month)]
    _known.setdefault(str(connection.settings_dict["NAME"]), set()).update(wanted)
    return Maintenance(tuple(made), drained)


def _drain() -> int:
    # It asks for its own lock, half a second at a time.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_drain_default_partition()")
        (drained,) = cursor.fetchone()
    return int(drained)
