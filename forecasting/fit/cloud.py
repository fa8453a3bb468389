"""Cloud usage: what a provider's bills would be without credits, and what the credits still cover."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import add_months, day_of_month, days_in_month, month_of
from forecasting.fit.cash_rows import CashRows
from forecasting.fit.history import CompanyHistory
from forecasting.fit.plan import CloudCredit
from forecasting.fit.role import Role, words_of
from forecasting.fit.shrinkage import DAYS_PER_MONTH, line, slope_se, weight
from forecasting.fit.successor import Tenure, chains

Floats = NDArray[np.float64]

BILLS_NEEDED = 2
LEAST_MONTHS_BILLED = 0.5
BILLS_READ = 12
USUAL_GROWTH, USUAL_GROWTH_SD = 0.02, 0.02
LAST_BILL_SHARE = 0.8
BILL_NOISE_SD = 0.04  # of a month's usage around its level
USUAL_WALK_SD, WALK_PRIOR_MONTHS = 0.05, 4
USAGE_AGE_MONTHS = 2  # a bill older than this means the provider was left
MOST_BILLS_PER_MONTH = 2.5
CREDITED_BILLS_READ, CREDITED_BILLS_NEEDED = 6, 3
MOST_SPREAD = 0.03  # of the share that credits pay: what moves more is a credit that runs out


@dataclass(frozen=True, slots=True)
class FittedCloud:
    """One provider, billed monthly in arrears. Positive amounts in base currency.

    Attributes:
        usage_per_day: gross usage on the as-of date.
        invoice_day: day of the month on which the bill of the month before is paid.
        pending: bill of a whole past month that has not come yet, net of credit; its day is `pending_day`.
        unbilled: usage of the current month up to the as-of date, net of credit.
        grants: soonest expiry first.
        payable: the share of usage that grants pay while they last.
    """

    provider: str
    usage_per_day: float
    invoice_day: int
    pending_day: int
    pending: float
    unbilled: float
    grants: tuple[CloudCredit, ...]
    lvl: float
    g: float
    gsd: float
    rw: float
    payable: float = 1.0


def fit_clouds(rows: CashRows, history: CompanyHistory) -> tuple[tuple[FittedCloud, ...], NDArray[np.bool_]]:
    """Usage per provider, and which rows it explains."""
    bills = ((rows.role == Role.CLOUD) & (rows.amount < 0)) | (rows.role == Role.CLOUD_CREDIT)
    explained = np.zeros(len(rows.day), dtype=bool)
    providers: dict[str, list[int]] = {}
    for payee in np.unique(rows.payee[bills]).tolist():
        providers.setdefault(rows.payees[payee].counterparty, []).append(payee)
    providers = _with_successors(rows, bills, providers)
    found: list[tuple[str, NDArray[np.bool_]]] = []
    for provider, payees in providers.items():
        mine = bills & np.isin(rows.payee, np.array(payees))
        months = np.unique(month_of(rows.day[mine]))
        often = len(np.unique(rows.day[mine])) > MOST_BILLS_PER_MONTH * len(months)
        seldom = len(months) < LEAST_MONTHS_BILLED * (months[-1] - months[0] + 1)  # a conference of theirs, yearly
        if len(months) >= BILLS_NEEDED and not often and not seldom:
            found.append((provider, mine))
    grants = _grants_by_provider(history, [provider for provider, _ in found])
    clouds = []
    for (provider, mine), own in zip(found, grants, strict=True):
        explained |= mine
        cloud = fit_cloud(
            provider=provider,
            day=rows.day[mine],
            gross=np.abs(rows.amount[mine]),
            as_of_day=rows.as_of_day,
            grants=own,
            payable=_payable(rows, mine),
        )
        if cloud is not None:
            clouds.append(cloud)
    # A credit without a bill in cash is not cash either way.
    return tuple(clouds), explained | (rows.role == Role.CLOUD_CREDIT)


def _with_successors(
    rows: CashRows, bills: NDArray[np.bool_], providers: dict[str, list[int]]
) -> dict[str, list[int]]:
    """The providers by their last names: who took another's place goes on with that one's usage."""
    names = list(providers)
    tenures = []
    for name in names:
        mine = bills & np.isin(rows.payee, np.array(providers[name]))
        tenures.append(Tenure.of(rows.day[mine], np.abs(rows.amount[mine])))
    found = {
        names[chain[-1]]: [payee for n in chain for payee in providers[names[n]]] for chain in chains(tenures)
    }
    return _with_those_in_turn(rows, bills, found)


def _with_those_in_turn(
    rows: CashRows, bills: NDArray[np.bool_], providers: dict[str, list[int]]
) -> dict[str, list[int]]:
    """One bill a month under two names, now this one and now that, is one provider, by the name of most bills."""
    months = {
        name: set(month_of(rows.day[bills & np.isin(rows.payee, np.array(payees))]).tolist())
        for name, payees in providers.items()
    }
    together: dict[str, list[int]] = {}
    for name in sorted(providers, key=lambda one: -len(months[one])):
        for other in together:
            both = months[name] | months[other]
            overlap = min(months[name]) < max(months[other]) and min(months[other]) < max(months[name])
            in_turn = overlap and not months[name] & months[other] and len(both) >= max(both) - min(both)
            if in_turn and len(months[name]) >= BILLS_NEEDED:
                together[other] += providers[name]
                months[other] = both
                break
        else:
            together[name] = list(providers[name])
    return together


def fit_cloud(
    *,
    provider: str,
    day: NDArray[np.int64],
    gross: Floats,
    as_of_day: int,
    grants: tuple[CloudCredit, ...] = (),
    payable: float = 1.0,
) -> FittedCloud | None:
    """One provider from its payments and applied credits; None when the last bill is long ago."""
    month = month_of(day)
    months = np.unique(month)
    total = np.array([gross[month == m].sum() for m in months])
    today = np.array([as_of_day])
    this_month, today_dom = int(month_of(today)[0]), int(day_of_month(today)[0])
    if this_month - int(months[-1]) > USAGE_AGE_MONTHS:
        return None
    used = months - 1  # the month that a bill is for
    # A bill is for as many days as its month has: February's is a tenth below January's.
    y = np.log(np.maximum(total * DAYS_PER_MONTH / days_in_month(used), 1e-9))[-BILLS_READ:]
    x = (used[-BILLS_READ:] - used[-1]).astype(np.float64)
    smoothed, slope = line(x, y)
    walk = _walk_sd(y)
    # What is left around a line hangs together from month to month, so the line is far too sure of its slope: a
    # walk of these steps says how far a slope of that many months can be chance.
    se = max(slope_se(x, y), walk / float(np.sqrt(max(-float(x[0]), 1.0))))
    share = weight(prior_sd=USUAL_GROWTH_SD, se=se) if np.isfinite(se) else 0.0
    g = share * slope + (1 - share) * USUAL_GROWTH
    level = LAST_BILL_SHARE * float(y[-1]) + (1 - LAST_BILL_SHARE) * smoothed

    def usage_in(which: int) -> float:
        days = int(days_in_month(np.array([which]))[0])
        return float(np.exp(level + g * (which - int(used[-1])))) * days / DAYS_PER_MONTH

    middle = add_months(month=used[-1:], day_of_month=15)[0]
    age_months = (as_of_day - middle) / DAYS_PER_MONTH
    usage_per_day = float(np.exp(level + g * age_months)) / DAYS_PER_MONTH
    invoice_day = int(np.median(day_of_month(day)[-6:]))
    covered = (
        sum((grant.remaining for grant in grants), start=type(grants[0].remaining)(0)) > 0 if grants else False
    )
    pending_due = int(add_months(month=np.array([this_month]), day_of_month=invoice_day)[0])
    in_cash = 1.0 - payable if covered else 1.0
    pending = 0.0 if int(months[-1]) == this_month else in_cash * usage_in(this_month - 1)
    return FittedCloud(
        provider=provider,
        usage_per_day=usage_per_day,
        invoice_day=invoice_day,
        pending_day=max(pending_due, as_of_day + 1),
        pending=pending,
        unbilled=in_cash * usage_per_day * today_dom,
        grants=tuple(sorted(grants, key=lambda grant: grant.expires)),
        # Usage has walked on since the middle of the month that the last bill is for.
        lvl=float(np.hypot(BILL_NOISE_SD, walk * np.sqrt(max(age_months, 0.0)))),
        g=g,
        gsd=USUAL_GROWTH_SD * float(np.sqrt(1 - share)),
        rw=walk,
        payable=payable,
    )


def _payable(rows: CashRows, mine: NDArray[np.bool_]) -> float:
    """The share of their bills that credits paid, where that was much the same each time; else all."""
    months, place = np.unique(month_of(rows.day[mine]), return_inverse=True)
    amount = np.abs(rows.amount[mine])
    credit = np.bincount(place, np.where(rows.role[mine] == Role.CLOUD_CREDIT, amount, 0.0), len(months))
    share = (credit / np.maximum(np.bincount(place, amount, len(months)), 1e-9))[credit > 0][-CREDITED_BILLS_READ:]
    usual = float(np.median(share)) if len(share) else 1.0
    alike = np.count_nonzero(np.abs(share - usual) <= MOST_SPREAD)
    return usual if alike >= max(CREDITED_BILLS_NEEDED, len(share) / 2 + 1) else 1.0


def _walk_sd(log_bill: Floats) -> float:
    """Sd of usage's monthly log step: a provider's own, mixed with what is usual."""
    steps = np.diff(log_bill)
    own = float(((steps - steps.mean()) ** 2).sum()) if len(steps) else 0.0
    known = max(len(steps) - 1, 0)
    return float(np.sqrt((own + WALK_PRIOR_MONTHS * USUAL_WALK_SD**2) / (known + WALK_PRIOR_MONTHS)))


def _grants_by_provider(history: CompanyHistory, providers: list[str]) -> list[tuple[CloudCredit, ...]]:
    """Each grant to the provider that shares a word with it, else to the first (who is paid most often)."""
    grants = history.plan.cloud_credits if history.grants is None else history.grants
    own: list[list[CloudCredit]] = [[] for _ in providers]
    for grant in grants:
        if not providers:
            break
        said = words_of(grant.provider)
        match = [n for n, provider in enumerate(providers) if said & words_of(provider)]
        own[match[0] if match else 0].append(grant)
    return [tuple(found) for found in own]
