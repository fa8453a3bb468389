"""The past as the fit sees it: rows of cash in base currency, each with its role and its payee."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import month_of
from forecasting.fit.history import CompanyHistory, base_rates
from forecasting.fit.role import SALES_TAX_WORDS, Role, has_role, role_of, words_of
from ledger.domain.flows import day_number

# Fewer days with income than this in half a year, and it is no stream of sales but single payments.
SALES_DAYS_PER_HALF_YEAR = 20
NUMBERED_NEEDED, SEEN_ONCE_SHARE = 3, 0.8
# Customers by name: how many at least, how often each pays in half a year, and what others may bring.
CLIENTS_NEEDED, CLIENT_TIMES, CLIENT_PAYMENTS_PER_HALF_YEAR, OFTEN_SHARE = 3, 2, 13, 0.2
PAYOUT_MONTHS, LONGEST_PAYOUT_GAP_DAYS, MOST_PAYOUT_LOG_SD = 5, 40, 0.5
TAX_RUNS_PER_PAYROLL = 0.6
PAYROLL_MONTHS, PAYROLL_MONTHS_NEEDED = 14, 6
LEAST_PAYROLL_SWING, UNEXPLAINED_SWING, MOST_SHARE_SD = 0.05, 0.4, 0.12  # sd of logs
LEAST_SHARE, MOST_SHARE = 0.01, 1.5  # of the payroll
LONGEST_SILENCE_DAYS = 92
DENSE_GAPS, DENSE_GAP_DAYS = 8, 10  # days between movements: so many of them, and seldom more than that
NEW_MONEY_EARLY_DAYS = 45  # money that comes longer before a tranche's planned day is something else
NEW_MONEY_SHARE = 0.05  # what fees and an exchange may take of it


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid or pays, for what and in which currency."""

    category: str
    counterparty: str
    currency: str


@dataclass(frozen=True, slots=True)
class CashRows:
    """Rows up to the as-of date, ordered by day.

    Attributes:
        as_of_day: days since 1970-01-01.
        first_day: first day that the ledger covers.
        day: int64 [n].
        amount: float64 [n], signed, base currency at the rates of the as-of date.
        count: int64 [n], events summed into the row.
        role: int8 [n], codes of Role.
        payee: int32 [n], index into payees; both signs of a payee share one.
        payees: names behind the indices.
    """

    as_of_day: int
    first_day: int
    day: NDArray[np.int64]
    amount: NDArray[np.float64]
    count: NDArray[np.int64]
    role: NDArray[np.int8]
    payee: NDArray[np.int32]
    payees: tuple[Payee, ...]

    @property
    def history_days(self) -> int:
        """Days covered, at least 1."""
        return max(1, self.as_of_day - self.first_day + 1)

    def of(self, *roles: Role) -> "CashRows":
        """The rows of some roles."""
        return self.where(has_role(self.role, *roles))

    def by_payee(self, chosen: NDArray[np.bool_]) -> tuple[tuple[int, NDArray[np.intp]], ...]:
        """Each payee of the chosen rows with the places of his, in order of days."""
        places = np.flatnonzero(chosen)
        places = places[np.argsort(self.payee[places], kind="stable")]
        payees, starts = np.unique(self.payee[places], return_index=True)
        return tuple(zip(payees.tolist(), np.split(places, starts[1:]), strict=False))

    def where(self, chosen: NDArray[np.bool_]) -> "CashRows":
        """The rows under a mask."""
        return replace(
            self,
            day=self.day[chosen],
            amount=self.amount[chosen],
            count=self.count[chosen],
            role=self.role[chosen],
            payee=self.payee[chosen],
        )


def read_cash_rows(history: CompanyHistory) -> CashRows:
    """Value every row in base currency, give it a role, and settle the roles that only the whole ledger tells.

    Raises:
        MissingInputs: a currency without a rate.
    """
    rates = base_rates(history)
    flows, as_of_day = history.flows, day_number(history.as_of)
    known = flows.day <= as_of_day
    day = flows.day[known].astype(np.int64)
    order = np.argsort(day, kind="stable")
    day = day[order]

    def column(values: NDArray[np.generic]) -> NDArray[np.int64]:
        return values[known][order].astype(np.int64)

    currency, category, counterparty = (
        column(flows.currency),
        column(flows.category),
        column(flows.counterparty),
    )
    event_type = column(flows.event_type)
    amount = flows.amount[known][order].astype(np.float64)
    per_unit = np.array([rates.get(code, 0.0) for code in flows.currencies] or [1.0])
    amount = amount * (per_unit[currency] if len(currency) else 1.0)

    packed = (currency * (len(flows.categories) + 1) + category) * (len(flows.counterparties) + 1) + counterparty
    _, first, payee = np.unique(packed, return_index=True, return_inverse=True)
    payees = tuple(
        Payee(flows.categories[category[i]], flows.counterparties[counterparty[i]], flows.currencies[currency[i]])
        for i in first.tolist()
    )
    payees, payee = _without_numbers(payees, payee, day)
    rows = CashRows(
        as_of_day=as_of_day,
        first_day=_first_day(history, day, as_of_day),
        day=day,
        amount=amount,
        count=column(flows.count),
        role=_roles(payees, payee, event_type, amount > 0),
        payee=payee.astype(np.int32),
        payees=payees,
    )
    return _settle_roles(rows, history)


def _without_numbers(
    payees: tuple[Payee, ...], payee: NDArray[np.intp], day: NDArray[np.int64]
) -> tuple[tuple[Payee, ...], NDArray[np.intp]]:
    """Payees whose names differ by a long number, each seen on one day, are one: a bank's line tells the number of
    a check or a transfer. `Vendor 1` and `Vendor 2` stay two.
    """
    alike: dict[Payee, list[int]] = {}
    for code, one in enumerate(payees):
        name = _nameless(one.counterparty)
        if name and name != one.counterparty:
            alike.setdefault(replace(one, counterparty=name), []).append(code)
    alike = {one: codes for one, codes in alike.items() if len(codes) >= NUMBERED_NEEDED}
    if not alike:
        return payees, payee
    days = np.bincount(np.unique(np.stack([payee, day]), axis=1)[0], minlength=len(payees))
    renamed = list(payees)
    same = np.arange(len(payees))
    for one, codes in alike.items():
        if float(np.mean(days[codes] == 1)) >= SEEN_ONCE_SHARE:
            same[codes] = codes[0]
            renamed[codes[0]] = one
    return tuple(renamed), same[payee]


@lru_cache(maxsize=65536)
def _nameless(name: str) -> str:
    return " ".join(re.sub(r"[#*]*\d[\d./-]{3,}", " ", name).split())


def since_last_silence(rows: CashRows) -> tuple[CashRows, tuple[int, int] | None]:
    """The rows after the last long silence of a ledger that is dense on both sides, and the days around it.

    Books that were not kept for a season say that nobody was paid in it. Levels and lumps would take that for
    frugality, and a runway would be too long by it (a data check says so to people).
    """
    moved = ~has_role(rows.role, Role.TRANSFER, Role.CLOUD_CREDIT) & (rows.amount != 0)
    day = np.unique(rows.day[moved])
    gap = np.diff(day)
    for place in np.flatnonzero(gap > LONGEST_SILENCE_DAYS)[::-1].tolist():
        before, after = gap[:place], gap[place + 1 :]
        if min(len(before), len(after)) < DENSE_GAPS or max(np.median(before), np.median(after)) > DENSE_GAP_DAYS:
            continue
        start = int(day[place + 1])
        return replace(rows.where(rows.day >= start), first_day=start), (int(day[place]), start)
    return rows, None


def _first_day(history: CompanyHistory, day: NDArray[np.int64], as_of_day: int) -> int:
    first = int(day[0]) if len(day) else as_of_day
    start = history.plan.history_start
    # The plan may know that the ledger covers silent days before the first event, never that it covers fewer.
    return min(first, day_number(start)) if start is not None and len(day) else first


def _roles(
    payees: tuple[Payee, ...], payee: NDArray[np.intp], event_type: NDArray[np.int64], cash_in: NDArray[np.bool_]
) -> NDArray[np.int8]:
    kind = (payee * 8 + event_type) * 2 + cash_in
    kinds, inverse = np.unique(kind, return_inverse=True)
    roles = [
        role_of(
            event_type=(code // 2) % 8,
            cash_in=bool(code % 2),
            category=payees[code // 16].category,
            counterparty=payees[code // 16].counterparty,
        )
        for code in kinds.tolist()
    ]
    return np.array(roles, dtype=np.int8)[inverse]


def _settle_roles(rows: CashRows, history: CompanyHistory) -> CashRows:
    role = rows.role.copy()
    _settle_new_money(rows, history, role)
    _settle_customers(rows, history, role)
    _settle_sales(rows, role)
    _settle_payroll_tax(rows, role)
    return replace(rows, role=role)


def _settle_new_money(rows: CashRows, history: CompanyHistory, role: NDArray[np.int8]) -> None:
    """A bank's line need not say that somebody invests: what no word explains, of a tranche's amount about its
    day, is that tranche, and no income to come again.
    """
    plan = history.plan
    if plan.as_of is None or not plan.tranches or not len(role):
        return
    unnamed = (role == Role.OTHER) & (rows.amount > 0) & (rows.day > day_number(plan.as_of))
    for tranche in plan.tranches:
        near = rows.day >= day_number(tranche.date) - NEW_MONEY_EARLY_DAYS
        role[unnamed & near & (np.abs(rows.amount / float(tranche.amount) - 1) <= NEW_MONEY_SHARE)] = Role.FUNDING


def _settle_customers(rows: CashRows, history: CompanyHistory, role: NDArray[np.int8]) -> None:
    """Customers with a contract in the ledger pay by contract; who owes an invoice, and his like, by invoice."""
    if not len(role):
        return
    contracted = {receipt.customer for receipt in history.flows.contracts} - {""}
    owing = {receivable.customer for receivable in history.plan.open_receivables} - {""} - contracted
    income = has_role(role, Role.REVENUE, Role.OTHER, Role.CONTRACT, Role.INVOICED) & (rows.amount > 0)
    by_contract = np.array([payee.counterparty in contracted for payee in rows.payees])
    role[income & by_contract[rows.payee]] = Role.CONTRACT
    income &= ~by_contract[rows.payee] & (role != Role.CONTRACT)
    owes = np.array([payee.counterparty in owing for payee in rows.payees])
    paid = set(rows.payee[income & owes[rows.payee]].tolist())
    invoiced = {rows.payees[payee].category for payee in paid}
    alike = np.array([payee.category in invoiced for payee in rows.payees])
    role[income & alike[rows.payee]] = Role.INVOICED


def _settle_sales(rows: CashRows, role: NDArray[np.int8]) -> None:
    """Sales are many small receipts, whatever words say: income is sales when it behaves like it, and not else."""
    recent = rows.day > rows.as_of_day - 182
    days_per_half_year = SALES_DAYS_PER_HALF_YEAR * min(1.0, rows.history_days / 182)
    for code, meant in ((Role.REVENUE, Role.OTHER), (Role.OTHER, Role.REVENUE)):
        members = (role == code) & (rows.amount > 0)
        if not members.any():
            continue
        if code is Role.REVENUE and _are_clients(rows, members & recent):
            role[members] = Role.INVOICED
            continue
        if code is Role.REVENUE:
            # Judged together: ten customers who each pay once a month are one stream of sales.
            often = len(np.unique(rows.day[members & recent])) >= days_per_half_year
            if not (often or _is_young(rows, members) or _comes_every_month(rows, members)):
                role[members] = meant
            continue
        for payee in np.unique(rows.payee[members & recent]).tolist():
            mine = members & (rows.payee == payee)
            if len(np.unique(rows.day[mine & recent])) >= 2 * days_per_half_year:
                role[mine] = meant


def _are_clients(rows: CashRows, members: NDArray[np.bool_]) -> bool:
    """Whether nearly all of an income comes from customers who pay by the month or more seldom, each by name.

    One processor pays often, and of a shop's many customers none comes back every month.
    """
    total = often = 0.0
    times = []
    for _, mine in rows.by_payee(members):
        days = np.unique(rows.day[mine])
        times.append(len(days))
        total += float(rows.amount[mine].sum())
        often += float(rows.amount[mine].sum()) * (len(days) > CLIENT_PAYMENTS_PER_HALF_YEAR)
    return (
        len(times) >= CLIENTS_NEEDED and often <= OFTEN_SHARE * total and float(np.median(times)) >= CLIENT_TIMES
    )


def _comes_every_month(rows: CashRows, members: NDArray[np.bool_]) -> bool:
    """A processor's payout once a month is sales as well: it grows with them, and is no bill that stays."""
    month = month_of(rows.day[members]) - int(month_of(rows.day[members][:1])[0])
    total = np.bincount(month, weights=rows.amount[members])[-PAYOUT_MONTHS:]
    silence = rows.as_of_day - int(rows.day[members][-1])
    if len(total) < PAYOUT_MONTHS or silence > LONGEST_PAYOUT_GAP_DAYS or (total <= 0.0).any():
        return False
    return float(np.std(np.diff(np.log(total)))) <= MOST_PAYOUT_LOG_SD


def _is_young(rows: CashRows, members: NDArray[np.bool_]) -> bool:
    return bool(rows.as_of_day - rows.day[members][0] < 60)


def _settle_payroll_tax(rows: CashRows, role: NDArray[np.int8]) -> None:
    """A tax that is paid after (nearly) every payroll, or in step with it, is withheld, whatever it is called.

    Taxes on sales come by the month as well, and follow something else.
    """
    runs = (role == Role.PAYROLL) & (rows.amount < 0)
    run_days = np.unique(rows.day[runs])
    if len(run_days) < 3:
        return
    is_named = bool((role == Role.PAYROLL_TAX).any())
    months = len(np.unique(month_of(run_days)))
    first_month = int(month_of(rows.day[:1])[0])
    paid_out = -np.bincount(month_of(rows.day[runs]) - first_month, weights=rows.amount[runs])
    for payee, mine in rows.by_payee((role == Role.TAX) & (rows.amount < 0)):
        if words_of(rows.payees[payee].category) & SALES_TAX_WORDS:
            continue
        if not is_named:
            paid = np.unique(rows.day[mine][rows.day[mine] >= run_days[0]])
            if len(paid) >= TAX_RUNS_PER_PAYROLL * min(len(run_days), months) and len(paid) >= 3:
                role[mine] = Role.PAYROLL_TAX
                continue
        month = month_of(rows.day[mine]) - first_month
        if _follows(month, -rows.amount[mine], paid_out=paid_out):
            role[mine] = Role.PAYROLL_TAX


def _follows(month: NDArray[np.int64], amount: NDArray[np.float64], *, paid_out: NDArray[np.float64]) -> bool:
    """Whether a payment of every month is a share of the payroll of that month or of the one before.

    Bonuses, raises and hires tell; where a payroll never moves nothing tells, and nothing hangs on it.
    """
    months = np.unique(month)[-PAYROLL_MONTHS:]
    if len(months) < PAYROLL_MONTHS_NEEDED or (np.diff(months) != 1).any():
        return False
    paid = np.bincount(month, weights=amount)[months]
    level = np.log(paid)
    for lag in (0, 1):
        known = (months - lag > np.argmax(paid_out > 0)) & (months - lag < len(paid_out))
        run = paid_out[np.where(known, months - lag, 0)]
        known &= run > 0
        if int(known.sum()) < PAYROLL_MONTHS_NEEDED:
            continue
        share = level[known] - np.log(run[known])
        swing, rest = float(np.std(level[known])), float(np.std(share))
        if swing >= LEAST_PAYROLL_SWING and rest <= min(UNEXPLAINED_SWING * swing, MOST_SHARE_SD):
            return LEAST_SHARE <= float(np.exp(share.mean())) <= MOST_SHARE
    return False
