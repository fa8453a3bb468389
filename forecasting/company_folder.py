"""A company in a folder: `events.ndjson` (or `.gz`), `plan.json`, perhaps `truth.json`; read without a database.

The events go through the ledger's own rules: what it would refuse is refused here, what it would count once counts
once, and only cash accounts move cash.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from forecasting.fit.history import CompanyHistory, MissingInputs
from forecasting.fit.plan import InvalidPlan, PlanDocument, parse_plan
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.flow_sums import daily_flows_from_events
from ledger.domain.flows import EVENT_TYPES, DailyFlows, day_number
from ledger.domain.problems import InvalidEvent
from ledger.domain.strict_json import InvalidJson, parse_json

EVENT_FILES = ("events.ndjson", "events.ndjson.gz")
PLAN_FILE = "plan.json"
TRUTH_FILE = "truth.json"

# Winter and summer offset in minutes: where both are stated, days follow summer time.
ZONE_BY_OFFSETS = {
    (-480, -420): "America/Los_Angeles",
    (-360, -300): "America/Chicago",
    (-300, -240): "America/New_York",
    (0, 60): "Europe/London",
    (60, 120): "Europe/Berlin",
    (120, 180): "Europe/Helsinki",
    (600, 660): "Australia/Sydney",
}


class UnreadableFolder(ValueError):
    """A folder that is no company; the message names the file, the line and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What happened, or could have.

    Attributes:
        regime: the kind of company, empty when not stated.
        runway_days: of each future; None when cash lasted beyond the horizon.
    """

    regime: str
    runway_days: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class CompanyFolder:
    """One company, ready to forecast, with its truth where there is one."""

    name: str
    history: CompanyHistory
    truth: Truth | None


def is_company_folder(folder: Path) -> bool:
    """Whether a folder holds events and a plan."""
    return (folder / PLAN_FILE).is_file() and any((folder / name).is_file() for name in EVENT_FILES)


def read_company_folder(folder: Path, *, now: datetime) -> CompanyFolder:
    """Read one company.

    Raises:
        UnreadableFolder: a file is missing or wrong.
    """
    plan = _read_plan(folder / PLAN_FILE)
    drafts = list(_events(folder, now=now))
    zone = _zone(drafts)
    flows = daily_flows_from_events(drafts, zone)
    as_of = plan.as_of or _last_day(flows)
    if as_of is None:
        raise UnreadableFolder(f"{folder.name}: no event and no as_of in the plan")
    history = CompanyHistory(
        as_of=as_of,
        base_currency=plan.base_currency or _usual_currency(drafts),
        flows=flows,
        cash=_cash(plan, flows, as_of),
        rates=dict(plan.fx),
        plan=plan,
        company=plan.company or folder.name,
    )
    return CompanyFolder(name=folder.name, history=history, truth=_read_truth(folder))


def _events(folder: Path, *, now: datetime) -> Iterator[EventDraft]:
    path = next(folder / name for name in EVENT_FILES if (folder / name).is_file())
    for number, line in _lines(path):
        try:
            yield parse_event(parse_json(line), now=now)
        except (InvalidJson, InvalidEvent) as error:
            raise UnreadableFolder(f"{folder.name}/{path.name}, line {number}: {error}") from error


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that hold something, with their numbers from 1. A packed file may be cut off or not be one at all."""
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFolder(f"{path.parent.name}/{path.name}, after line {number}: {error}") from error


def _read_plan(path: Path) -> PlanDocument:
    try:
        return parse_plan(parse_json(path.read_bytes()))
    except (OSError, InvalidJson, InvalidPlan) as error:
        raise UnreadableFolder(f"{path.parent.name}/{path.name}: {error}") from error


def _read_truth(folder: Path) -> Truth | None:
    path = folder / TRUTH_FILE
    if not path.is_file():
        return None
    try:
        raw = parse_json(path.read_bytes())
        futures = raw.get("futures") or [raw["true_day"]]
        if not all(day is None or type(day) is int for day in futures):
            raise UnreadableFolder(f"{folder.name}/{path.name}: futures must be days or null")
        return Truth(regime=str(raw.get("regime", "")), runway_days=tuple(futures))
    except (OSError, InvalidJson, KeyError, AttributeError) as error:
        raise UnreadableFolder(f"{folder.name}/{path.name}: {error}") from error


def _cash(plan: PlanDocument, flows: DailyFlows, as_of: date) -> dict[str, Decimal]:
    """The plan's balance on its as-of date, else the balance at the start of the history plus what moved since."""
    if plan.opening_balance:
        return dict(plan.opening_balance)
    if not plan.history_opening_balance:
        raise MissingInputs((f"no cash balance on {as_of}: the plan states no opening_balance",))
    moved = flows.event_type != EVENT_TYPES.index("credit")
    moved &= flows.day <= day_number(as_of)
    cash = dict(plan.history_opening_balance)
    for code, currency in enumerate(flows.currencies):
        change = Decimal(repr(float(flows.amount[moved & (flows.currency == code)].sum())))
        cash[currency] = cash.get(currency, Decimal(0)) + change
    return cash


def _zone(drafts: list[EventDraft]) -> str:
    """The zone whose days are the days people saw, told by the offsets that the events state.

    Which country shares the offset is not told by it, so the zone says nothing about holidays.
    """
    stated = (draft.occurred_at.utcoffset() for draft in drafts if draft.occurred_at is not None)
    offsets = Counter(offset // timedelta(minutes=1) for offset in stated if offset is not None)
    usual = sorted(minutes for minutes, _ in offsets.most_common(2))
    if tuple(usual) in ZONE_BY_OFFSETS:
        return ZONE_BY_OFFSETS[usual[0], usual[1]]
    hours, minutes = divmod(offsets.most_common(1)[0][0], 60) if offsets else (0, 0)
    # The names of the fixed zones count westwards; the few zones of half hours are rounded to whole ones.
    whole = hours + (minutes >= 30)
    return f"Etc/GMT{-whole:+d}" if whole else "UTC"


def _last_day(flows: DailyFlows) -> date | None:
    return date(1970, 1, 1) + timedelta(days=int(flows.day[-1])) if len(flows.day) else None


def _usual_currency(drafts: list[EventDraft]) -> str:
    return Counter(draft.currency for draft in drafts).most_common(1)[0][0] if drafts else "USD"
