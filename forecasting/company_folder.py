"""A company in a folder: `events.ndjson` (or `.gz`), `plan.json`, perhaps `truth.json`; read without a database.

The events go through the ledger's own rules: what it would refuse is refused here, what it would count once counts
once, and only cash accounts move cash.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.history import CompanyHistory, MissingInputs
from forecasting.fit.plan import InvalidPlan, PlanDocument, parse_plan
from ledger.domain.account import CASH_KINDS, kind_of_account
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.flows import EVENT_TYPES, ContractReceipt, DailyFlows, day_number
from ledger.domain.problems import InvalidEvent
from ledger.domain.strict_json import InvalidJson, parse_json

EVENT_FILES = ("events.ndjson", "events.ndjson.gz")
PLAN_FILE = "plan.json"
TRUTH_FILE = "truth.json"


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
    flows = daily_flows_of(drafts, zone=zone)
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


def daily_flows_of(drafts: Iterable[EventDraft], *, zone: tzinfo) -> DailyFlows:
    """Sum events per day, type, currency, category and counterparty, as the ledger's read side does."""
    sums: dict[tuple[int, str, str, str, str], tuple[Decimal, int]] = {}
    contracts = []
    for draft in drafts:
        if draft.occurred_at is None:
            continue  # "now" is no day of the past
        day = draft.occurred_at.astimezone(zone).date()
        key = (day_number(day), draft.event_type, draft.currency, draft.category, draft.counterparty)
        amount, count = sums.get(key, (Decimal(0), 0))
        sums[key] = amount + (draft.amount if draft.flow == "in" else -draft.amount), count + 1
        contract = _contract(draft, day)
        if contract is not None:
            contracts.append(contract)
    keys = sorted(sums)
    columns = list(zip(*keys, strict=True)) if keys else [()] * 5
    currencies, currency = _codes(columns[2])
    categories, category = _codes(columns[3])
    counterparties, counterparty = _codes(columns[4])
    return DailyFlows(
        day=np.array(columns[0], dtype=np.int32),
        amount=np.array([float(sums[key][0]) for key in keys], dtype=np.float64),
        count=np.array([sums[key][1] for key in keys], dtype=np.int32),
        event_type=np.array([EVENT_TYPES.index(name) for name in columns[1]], dtype=np.int8),
        currency=currency,
        category=category,
        counterparty=counterparty,
        currencies=currencies,
        categories=categories,
        counterparties=counterparties,
        contracts=tuple(sorted(contracts, key=lambda receipt: (receipt.day, receipt.customer))),
    )


def _events(folder: Path, *, now: datetime) -> Iterator[EventDraft]:
    """The events that count: on cash accounts or vendor credits, each external object once, the first time."""
    path = next(folder / name for name in EVENT_FILES if (folder / name).is_file())
    seen: set[tuple[object, ...]] = set()
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                draft = parse_event(parse_json(line), now=now)
            except (InvalidJson, InvalidEvent) as error:
                raise UnreadableFolder(f"{folder.name}/{path.name}, line {number}: {error}") from error
            account = draft.account or "bank"
            thing = (draft.source, draft.event_type, draft.flow, account, draft.external_ref)
            if draft.external_ref and thing in seen:
                continue
            seen.add(thing)
            if draft.event_type == "credit" or (kind_of_account(account) or "bank") in CASH_KINDS:
                yield draft


def _contract(draft: EventDraft, day: date) -> ContractReceipt | None:
    metadata = draft.metadata
    if draft.event_type != "income" or isinstance(metadata, str) or "contract" not in metadata:
        return None
    term = metadata.get("term_months")
    if not isinstance(term, int) or isinstance(term, bool) or not 0 < term < 1000:
        return None
    return ContractReceipt(
        day=day,
        customer=draft.counterparty,
        amount=draft.amount,
        currency=draft.currency,
        term_months=term,
        deferred=metadata.get("deferred") is True,
        renewal=metadata.get("renewal") is True,
    )


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


def _zone(drafts: list[EventDraft]) -> tzinfo:
    """The zone of the company: the offset that most events carry, so that its days are the days people saw."""
    offsets = Counter(draft.occurred_at.utcoffset() for draft in drafts if draft.occurred_at is not None)
    offset = offsets.most_common(1)[0][0] if offsets else None
    return timezone(offset or timedelta(0))


def _last_day(flows: DailyFlows) -> date | None:
    return date(1970, 1, 1) + timedelta(days=int(flows.day[-1])) if len(flows.day) else None


def _usual_currency(drafts: list[EventDraft]) -> str:
    return Counter(draft.currency for draft in drafts).most_common(1)[0][0] if drafts else "USD"


def _codes(names: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    distinct = tuple(sorted(set(names)))
    place = {name: number for number, name in enumerate(distinct)}
    return distinct, np.array([place[name] for name in names], dtype=np.int32)
