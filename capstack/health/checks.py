"""What must be true of an installation that is ready: its parts, never a company's feeds."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connection
from redis import RedisError

from capstack.health.check import Check
from capstack.health.partitions import months_ahead
from capstack.health.queues import queues_without_worker
from forecasting.selectors.forecasts import latest_forecast
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref

LEAST_MONTHS_AHEAD = 3
DEMO_SLUG = "demo"


def all_checks(*, now: datetime) -> tuple[Check, ...]:
    """Return every check. One that cannot be made is red and says what kind of error stood in the way.

    A database that is away lets each who asks wait for a connection, so it is asked once: whoever watches this
    gives up after some seconds.
    """
    database = _guarded("database", _database)

    def of_database(name: str, check: Callable[[], Check]) -> Check:
        if not database.ok:
            return Check(name=name, ok=False, detail="cannot be checked: the database does not answer")
        return _guarded(name, check)

    return (
        database,
        of_database("partitions", lambda: _partitions(now)),
        _guarded("queue", _queue),
        of_database("first_forecast", _first_forecast),
    )


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (DatabaseError, RedisError) as error:
        # The kind alone: messages carry host names, and anyone may ask.
        return Check(name=name, ok=False, detail=f"cannot be checked: {type(error).__name__}")


def _database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return Check(name="database", ok=True, detail="answers")


def _partitions(now: datetime) -> Check:
    ahead = months_ahead(now=now)
    text = f"{ahead} months ahead" if ahead >= 0 else "the current month has no partition"
    return Check(name="partitions", ok=ahead >= LEAST_MONTHS_AHEAD, detail=text)


def _queue() -> Check:
    idle = queues_without_worker(redis_url=settings.REDIS_QUEUE_URL, names=settings.RQ_QUEUES)
    text = f"no worker on {', '.join(idle)}" if idle else "a worker on every queue"
    return Check(name="queue", ok=not idle, detail=text)


def _first_forecast() -> Check:
    """Without a demo company there is nothing to wait for: a fresh production installation is ready when empty."""
    name = "first_forecast"
    try:
        demo = company_ref(slug=DEMO_SLUG)
    except CompanyNotFound:
        return Check(name=name, ok=True, detail="no demo company to wait for")
    published = latest_forecast(company_id=demo.id) is not None
    return Check(name=name, ok=published, detail="published" if published else "the demo's is being computed")
