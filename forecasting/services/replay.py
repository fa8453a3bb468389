"""A past day's forecast, made again from what was known then.

Known then: the beginning of the journal that was recorded, statements, matches and categories as they stood, the
version of the plan in force, rates of the day, and the calibration of the time. Everything is read by the code
that reads the present (`ledger/services/past.py`), so where nothing came late the answer is what was published.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from forecasting import engine
from forecasting.engine import ENGINE_VERSION, HORIZON_DAYS, PATHS, SEED
from forecasting.fit.company import fit_company
from forecasting.machine import MACHINE
from forecasting.models.run import Basis, ForecastRun
from forecasting.outcome import Forecast
from forecasting.services.history import GatheredHistory, gather_history
from ledger.domain.company import CompanyRef
from ledger.selectors.account_balances import position_known_at
from ledger.services.past import books_as_known, shadow

_PLANS_KNOWN_AT = """
    SELECT * FROM forecasting_plan WHERE company_id = %(company)s AND recorded_at <= %(known_at)s
"""
_PLANS_TO_VERSION = """
    SELECT * FROM forecasting_plan WHERE company_id = %(company)s AND version <= %(version)s
"""
# Summing so many events takes about a second; who waits longer asks the command.
LONGEST_JOURNAL_TO_WAIT_FOR = 200_000
MICROSECOND = timedelta(microseconds=1)


class NotKnown(ValueError):
    """A day that cannot be replayed; the message says why."""


class TooLong(NotKnown):
    """The journal of that day is too long for somebody who waits; the command has all the time it needs."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What would have been said at the end of a day.

    Attributes:
        known_at: the last instant whose news counts.
        position: how far the journal was known.
        plan_version: of the plan then in force, 0 without one.
        published: the run in force at the end of that day, None when nothing had been published by then.
        differs: in words, why the replay is not what was published; '' when they are equal, bit for bit, and None
            without a published run.
    """

    day: date
    known_at: datetime
    position: int
    plan_version: int
    forecast: Forecast
    gathered: GatheredHistory
    published: ForecastRun | None
    differs: str | None


def replay(
    *, company: CompanyRef, day: date, basis: str = "free", now: datetime, longest_journal: int | None = None
) -> Replay:
    """Make the forecast of the end of a day from what was known then.

    Args:
        day: in the company's calendar, today at the latest.
        longest_journal: refuse to sum more events than this.

    Raises:
        NotKnown: the day lies ahead, or nothing was recorded by then.
        TooLong: more events than `longest_journal` were known.
        MissingInputs: there would have been no forecast; the reasons name what was missing.
        ValueError: `basis` is neither free nor bank.
    """
    if basis not in Basis.values:
        raise ValueError(f"basis: must be free or bank, is {basis!r}")
    zone = ZoneInfo(company.timezone)
    if day > now.astimezone(zone).date():
        raise NotKnown(f"{day} lies in the future")
    end = datetime.combine(day + timedelta(days=1), time(), zone) - MICROSECOND
    known_at = min(end.astimezone(now.tzinfo), now)
    position = position_known_at(company_id=company.id, known_at=known_at)
    if not position:
        raise NotKnown(f"nothing was recorded by the end of {day}")
    if longest_journal is not None and position > longest_journal:
        raise TooLong(f"{position:,} events were known by the end of {day}: use manage.py replay_forecast")
    gathered = history_as_known(company=company, position=position, known_at=known_at)
    made = engine.forecast(
        gathered.history,
        basis="bank" if basis == Basis.BANK else "free",
        horizon_days=HORIZON_DAYS,
        paths=PATHS,
        seed=SEED,
        company=fit_company(gathered.history),
    )
    published = (
        ForecastRun.objects.filter(company_id=company.id, basis=basis, published_day__lte=day)
        .order_by("-published_day", "-id")
        .first()
    )
    return Replay(
        day=day,
        known_at=known_at,
        position=position,
        plan_version=gathered.plan.version if gathered.plan else 0,
        forecast=made,
        gathered=gathered,
        published=published,
        differs=None if published is None else _difference(published, gathered, made),
    )


def history_as_known(
    *, company: CompanyRef, position: int, known_at: datetime, plan_version: int | None = None
) -> GatheredHistory:
    """Read a company as a forecast of that time would have.

    Args:
        position: how far the journal was known.
        known_at: what was stated, matched, categorised or planned later is not seen.
        plan_version: the version in force, where it is known better than by its time; 0 for none.

    Raises:
        MissingInputs: as `gather_history`.
    """
    with _known(company_id=company.id, position=position, known_at=known_at, plan_version=plan_version):
        return gather_history(company=company, now=known_at)


@contextmanager
def _known(*, company_id: int, position: int, known_at: datetime, plan_version: int | None) -> Iterator[None]:
    with books_as_known(company_id=company_id, position=position, known_at=known_at):
        rows = _PLANS_KNOWN_AT if plan_version is None else _PLANS_TO_VERSION
        with connection.cursor() as cursor:
            shadow(
                cursor,
                table="forecasting_plan",
                rows=rows,
                values={"company": company_id, "known_at": known_at, "version": plan_version},
            )
        yield


def _difference(run: ForecastRun, gathered: GatheredHistory, made: Forecast) -> str:
    if run.engine_version != ENGINE_VERSION or run.numpy_version != MACHINE.numpy_version:
        return (
            f"it was made by engine {run.engine_version} with NumPy {run.numpy_version}, this is engine"
            f" {ENGINE_VERSION} with NumPy {MACHINE.numpy_version}"
        )
    if run.history_digest != gathered.digest:
        parts = ", ".join(differing_parts(run.history_parts, gathered.parts))
        return f"what was known differs in {parts}" if parts else "what was known differs"
    return first_difference(run.result, made.to_json())


def differing_parts(one: dict[str, str], other: dict[str, str]) -> tuple[str, ...]:
    """Names of the parts of two histories that are not the same; empty when one of them was not kept."""
    if not one or not other:
        return ()
    return tuple(name for name in {**one, **other} if one.get(name) != other.get(name))


def first_difference(stored: Any, made: Any, *, path: str = "") -> str:
    """Where two JSON values first differ, in words; '' when they are equal, numbers bit for bit.

    A key that was not stored is no difference, because a later version says more; one that nothing computes is.
    """
    if isinstance(stored, dict) and isinstance(made, dict):
        names = {key: f"{path}.{key}" if path else key for key in stored}
        unknown = next((names[key] for key in stored if key not in made), None)
        if unknown is not None:
            return f"{unknown}: was stored, and nothing of this name is computed"
        pairs = [(names[key], stored[key], made[key]) for key in stored]
    elif isinstance(stored, list) and isinstance(made, list) and len(stored) == len(made):
        pairs = [(f"{path}[{n}]", *pair) for n, pair in enumerate(zip(stored, made, strict=True))]
    else:
        return "" if stored == made else f"{path}: {stored!r} was stored, {made!r} was computed"
    return next((found for name, one, two in pairs if (found := first_difference(one, two, path=name))), "")
