"""Roles that no word tells and the whole ledger does: who invests, gives, owes, sells and withholds."""

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import month_of
from forecasting.fit.cash_rows import CashRows, Payee
from forecasting.fit.history import CompanyHistory
from forecasting.fit.role import PROCESSOR_WORDS, SALES_TAX_WORDS, Role, has_role, words_of
from forecasting.fit.shrinkage import DAYS_PER_MONTH
from ledger.domain.flows import day_number

# Fewer days with income than this in half a year, and it is no stream of sales but single payments.
SALES_DAYS_PER_HALF_YEAR = 20
OUTFLOW_DAYS = 182
MOST_OF_A_CATEGORY = 0.8
MOST_ROUNDS = 6  # of one investor; a tranche of each year
# Customers by name: how many at least, how often each pays in half a year, and what others may bring.
CLIENTS_NEEDED, CLIENT_TIMES, CLIENT_PAYMENTS_PER_HALF_YEAR, OFTEN_SHARE = 3, 2, 13, 0.2
PAYOUT_MONTHS, LONGEST_PAYOUT_GAP_DAYS, MOST_PAYOUT_LOG_SD = 5, 40, 0.5
TAX_RUNS_PER_PAYROLL = 0.6
PAYROLL_MONTHS, PAYROLL_MONTHS_NEEDED = 14, 6
LEAST_PAYROLL_SWING, UNEXPLAINED_SWING, MOST_SHARE_SD = 0.05, 0.4, 0.12  # sd of logs
LEAST_SHARE, MOST_SHARE = 0.01, 1.5  # of the payroll
NEW_MONEY_EARLY_DAYS = 45  # money that comes longer before a tranche's planned day is something else
NEW_MONEY_SHARE = 0.05  # what fees and an exchange may take of it


def settle_roles(rows: CashRows, history: CompanyHistory) -> CashRows:
    """The rows with the roles that all of them together tell; in this order, as later ones build on earlier."""
    role = rows.role.copy()
    _settle_new_money(rows, history, role)
    _settle_investors(rows, role)
    _settle_listed_grants(rows, history, role)
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


def _settle_investors(rows: CashRows, role: NDArray[np.int8]) -> None:
    """Who has invested has nothing else to pay: what little else came from him, under whatever name, is money for
    shares as well. A customer pays again and again.
    """
    received = rows.amount > 0
    invested = np.unique(rows.payee[(role == Role.FUNDING) & received])
    names = {rows.payees[payee].counterparty for payee in invested.tolist()} - {""}
    if not names:
        return
    codes: dict[str, list[int]] = {name: [] for name in names}
    for code, payee in enumerate(rows.payees):
        if payee.counterparty in names:
            codes[payee.counterparty].append(code)
    for of_investor in codes.values():
        mine = received & np.isin(rows.payee, of_investor)
        if len(np.unique(rows.day[mine])) <= MOST_ROUNDS:
            role[mine] = Role.FUNDING


def _settle_listed_grants(rows: CashRows, history: CompanyHistory, role: NDArray[np.int8]) -> None:
    """A grant whose instalments the plan lists by its giver's name pays those, and he is expected to give no more.

    Whoever lists what givers owe lists all of it, so of others no instalment as large as a month's spending comes.
    """
    listed = [words_of(tranche.milestone) for tranche in history.plan.tranches]
    listed += [words_of(owed.customer) for owed in history.plan.open_receivables]
    given = (role == Role.GRANT) & (rows.amount > 0)
    paid_out = (rows.amount < 0) & (role != Role.TRANSFER) & (rows.day > rows.as_of_day - OUTFLOW_DAYS)
    month = -float(rows.amount[paid_out].sum()) / min(OUTFLOW_DAYS, rows.history_days) * DAYS_PER_MONTH
    lists_grants, unlisted = False, np.zeros(len(rows.day), dtype=bool)
    for payee in np.unique(rows.payee[given]).tolist():
        mine, name = given & (rows.payee == payee), words_of(rows.payees[payee].counterparty)
        if not name or not any(name <= words for words in listed):
            unlisted |= mine & (rows.amount >= month)
            continue
        lists_grants = True
        # By more than the name: "Horizon Europe" owes a quarter's claim, "... interim payment 2" what is left.
        if any(name < words for words in listed):
            role[mine] = Role.FUNDING
    if lists_grants:
        role[unlisted] = Role.FUNDING


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
    invoiced = _categories_of_customers(rows, income, owes)
    alike = np.array(
        [
            payee.category in invoiced and (payee.counterparty in owing or not _is_processor(payee))
            for payee in rows.payees
        ]
    )
    role[income & alike[rows.payee]] = Role.INVOICED


def _is_processor(payee: Payee) -> bool:
    """Whether the name is that of somebody who passes on what many customers paid."""
    return bool(words_of(payee.counterparty) & PROCESSOR_WORDS)


def _categories_of_customers(rows: CashRows, income: NDArray[np.bool_], owes: NDArray[np.bool_]) -> set[str]:
    """The categories where somebody who owes has paid and is at home, and no stranger whom a slip put beside a
    processor's payouts.

    Args:
        income: bool [n], receipts that may be a customer's.
        owes: bool [payees].
    """
    brought = np.bincount(rows.payee[income], weights=rows.amount[income], minlength=len(rows.payees))
    total, found = Counter[str](), set()
    largest: dict[str, int] = {}
    for code, payee in enumerate(rows.payees):
        total[payee.category] += brought[code]
        largest[payee.category] = max(largest.get(payee.category, code), code, key=brought.__getitem__)
        if owes[code] and brought[code] > 0:
            found.add(payee.category)
    return {
        category
        for category in found
        if owes[largest[category]] or brought[largest[category]] <= MOST_OF_A_CATEGORY * total[category]
    }


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
