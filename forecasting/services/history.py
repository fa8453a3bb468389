"""Everything a forecast may know about a company, read from the ledger and the plan as one consistent moment."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np

from forecasting.closing_balances import CHART_DAYS
from forecasting.fit.history import CompanyHistory, MissingInputs
from forecasting.fit.plan import CloudCredit, PlanDocument
from forecasting.outcome import UNCALIBRATED
from forecasting.selectors.calibrations import calibration_in_force
from forecasting.selectors.plans import StoredPlan, plan_in_force
from ledger.domain.company import CompanyRef
from ledger.domain.flows import DailyFlows
from ledger.domain.fx import UnknownRate
from ledger.selectors.balances import cash_by_currency, credit_grants
from ledger.selectors.flows import daily_flows
from ledger.selectors.fx import rate
from ledger.selectors.journal import last_event_day
from ledger.selectors.liabilities import liabilities
from ledger.services.daily_flows import catch_up
from ledger.services.derived import derived_only

# A plan's own rates are what the company's bank gave it; they hold for about a month, then the ECB knows better.
PLAN_RATES_HOLD = timedelta(days=31)


class FlowsOf(Protocol):
    """Whoever knows a company's daily flows up to and including a day."""

    def __call__(self, *, company_id: int, until: date) -> DailyFlows: ...


@dataclass(frozen=True, slots=True)
class GatheredHistory:
    """A company's history and where it was read.

    Attributes:
        position: journal position up to which everything has been read.
        plan: the plan's version in force, None without one.
        digest: SHA-256 over everything in `history`.
        parts: SHA-256 of each of its fields, by name.
    """

    history: CompanyHistory
    position: int
    plan: StoredPlan | None
    digest: str
    parts: dict[str, str]


def gather_history(
    *,
    company: CompanyRef,
    now: datetime,
    as_of: date | None = None,
    flows_of: FlowsOf = daily_flows,
    since: date | None = None,
) -> GatheredHistory:
    """Read the company at the end of `as_of`, bringing the daily sums up to the journal's head first.

    Args:
        as_of: default the earlier of today and the latest of (last event, plan's as_of), company's calendar.
            For a day in the past the plan of that day counts: what was planned later was not known then.
        flows_of: reads the daily flows, for a company and until a day, or remembers them.
        since: the first day that anybody will ask of what was owed; default as far back as a chart goes.

    Raises:
        MissingInputs: nothing has happened up to that day, or a currency has no rate.
    """
    today = now.astimezone(ZoneInfo(company.timezone)).date()
    # A long backlog is summed in steps that commit; what is left inside the snapshot is what arrived meanwhile.
    catch_up(company_id=company.id)
    with _one_moment():
        position = catch_up(company_id=company.id)
        plan = plan_in_force(company_id=company.id, on=as_of)
        last_event = last_event_day(company_id=company.id, today=today)
        day = as_of or _default_as_of(today=today, last_event=last_event, plan=plan)
        if day is None:
            raise MissingInputs(("no events are recorded yet: import a file or post events",))
        flows = flows_of(company_id=company.id, until=day)
        if not flows.day.size:
            raise MissingInputs((f"no events are recorded up to {day}: import a file or post events",))
        cash = cash_by_currency(company_id=company.id, at=day)
        grants = tuple(
            CloudCredit(provider=grant.provider, remaining=grant.remaining, expires=grant.expires_on)
            for grant in credit_grants(company_id=company.id, at=day)
        )
        days = CHART_DAYS + 1 if since is None else max((day - since).days, 0) + 1
        owed = liabilities(company_id=company.id, timezone=company.timezone, at=day, days=days)
    document = plan.document if plan else PlanDocument()
    history = CompanyHistory(
        as_of=day,
        base_currency=company.base_currency,
        flows=flows,
        cash=cash,
        rates=rates_of_day(company=company, on=day, flows=flows, cash=cash, plan=document),
        plan=document,
        grants=grants,
        timezone=company.timezone,
        company=company.slug,
        calibration=calibration_in_force(company_id=company.id, now=now),
        liabilities=owed,
    )
    digest, parts = history_digests(history, plan=plan)
    return GatheredHistory(history=history, position=position, plan=plan, digest=digest, parts=parts)


def without_liabilities(gathered: GatheredHistory) -> GatheredHistory:
    """The same history as forecasts read it before they asked the ledger for its liabilities."""
    history = replace(gathered.history, liabilities=None)
    digest, parts = history_digests(history, plan=gathered.plan)
    return replace(gathered, history=history, digest=digest, parts=parts)


def history_digests(history: CompanyHistory, *, plan: StoredPlan | None) -> tuple[str, dict[str, str]]:
    """SHA-256 over every value that the engine is given, and over each field of the history by name."""
    whole, parts = hashlib.sha256(), {}
    for name, piece in _pieces(history, plan=plan):
        whole.update(piece)
        parts[name] = hashlib.sha256(piece).hexdigest()
    return whole.hexdigest(), parts


def _pieces(history: CompanyHistory, *, plan: StoredPlan | None) -> Iterator[tuple[str, bytes]]:
    for field in fields(history):
        value = getattr(history, field.name)
        if field.name == "calibration" and value == UNCALIBRATED:
            continue  # so that the digests of runs from before there were calibrations stay what they were
        if field.name == "liabilities" and value is None:
            continue  # likewise, where the ledger states none
        if field.name == "plan":
            value = plan.digest if plan else ""
        elif isinstance(value, dict):
            value = sorted(value.items())
        if isinstance(value, DailyFlows):
            yield field.name, _flow_bytes(value)
        else:
            yield field.name, f"{field.name}={value!r};".encode()


def _flow_bytes(flows: DailyFlows) -> bytes:
    pieces = []
    for field in fields(flows):
        value = getattr(flows, field.name)
        pieces += [
            f"{field.name}=".encode(),
            np.ascontiguousarray(value).tobytes() if isinstance(value, np.ndarray) else repr(value).encode(),
        ]
    return b"".join(pieces)


def _one_moment() -> AbstractContextManager[None]:
    """Read everything from one snapshot, the daily sums included, which are brought up to date inside it.

    Otherwise an event recorded between two reads is in one and not in the other, and the position tells a lie.
    Somebody else who sums the same company meanwhile makes this fail with a serialization error; jobs try again.
    """
    # PostgreSQL accepts this as a transaction's first words only; inside a caller's it is too late.
    return derived_only(first_words="SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;")


def _default_as_of(*, today: date, last_event: date | None, plan: StoredPlan | None) -> date | None:
    known = [day for day in (last_event, plan.as_of if plan else None) if day is not None]
    return min(today, max(known)) if known else None


def rates_of_day(
    *, company: CompanyRef, on: date, flows: DailyFlows, cash: dict[str, Decimal], plan: PlanDocument
) -> dict[str, Decimal]:
    """Base currency per unit on the day, for every currency in use.

    Raises:
        MissingInputs: neither plan nor ECB knows a currency; all such currencies are named.
    """
    used = {*flows.currencies, *cash, *(hire.currency for hire in plan.planned_hires)} - {company.base_currency}
    plan_is_recent = plan.as_of is not None and timedelta(0) <= on - plan.as_of <= PLAN_RATES_HOLD
    rates: dict[str, Decimal] = {}
    unknown = []
    for currency in sorted(used):
        if plan_is_recent and currency in plan.fx:
            rates[currency] = plan.fx[currency]
            continue
        try:
            rates[currency] = rate(currency=currency, base=company.base_currency, on=on).rate
        except UnknownRate as error:
            # A plan's old rate is off by a few per cent; a refusal would be off by everything.
            if currency in plan.fx:
                rates[currency] = plan.fx[currency]
            else:
                unknown.append(f"no exchange rate from {currency} to {company.base_currency} on {on}: {error}")
    if unknown:
        raise MissingInputs(tuple(unknown))
    return rates
