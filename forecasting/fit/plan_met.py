"""What of a plan has come since its balances: money that is in bank already must not be waited for as well.

A plan keeps its lines until somebody takes them out. Until then the ledger says which of them are met: a tranche
by new money of about its size about its day, an invoice by its customer's payment of its amount.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from forecasting.fit.cash_rows import CashRows
from forecasting.fit.history import CompanyHistory
from forecasting.fit.role import Role
from forecasting.fit.settled_roles import NEW_MONEY_EARLY_DAYS
from ledger.domain.flows import day_number

FUNDING_SHARE = (0.75, 1.25)  # a closing is seldom to the cent: fees, exchange, an investor less
INVOICE_SHARE = (0.97, 1.03)  # what a bank or a processor keeps
INVOICE_EARLY_DAYS = 8  # as `lateness` reads: a payment so long before a due day was for that one


def met_tranches(rows: CashRows, history: CompanyHistory) -> Mapping[int, int]:
    """Place in the plan -> day of arrival. New money meets the tranche that is nearest to it in size."""
    plan = history.plan
    if plan.as_of is None or not plan.tranches:
        return {}
    came = (rows.day > day_number(plan.as_of)) & (rows.role == Role.FUNDING) & (rows.amount > 0)
    met: dict[int, int] = {}
    for day, amount in zip(rows.day[came].tolist(), rows.amount[came].tolist(), strict=True):
        fitting = [
            (abs(amount / float(each.amount) - 1), day_number(each.date), place)
            for place, each in enumerate(plan.tranches)
            if place not in met
            and _within(amount / float(each.amount), FUNDING_SHARE)
            and day >= day_number(each.date) - NEW_MONEY_EARLY_DAYS
        ]
        if fitting:
            met[min(fitting)[2]] = day
    return met


def met_receivables(rows: CashRows, history: CompanyHistory) -> Mapping[int, int]:
    """Place in the plan -> day of payment. A payment meets one invoice, or the oldest ones together."""
    plan = history.plan
    if plan.as_of is None or not plan.open_receivables or not len(rows.day):
        return {}
    open_of: dict[str, list[tuple[int, int, float]]] = {}
    for place, each in enumerate(plan.open_receivables):
        open_of.setdefault(each.customer, []).append((day_number(each.due), place, float(each.amount)))
    owes = np.array([payee.counterparty in open_of for payee in rows.payees], dtype=bool)
    paid = (rows.day > day_number(plan.as_of)) & (rows.amount > 0) & owes[rows.payee]
    met: dict[int, int] = {}
    for day, amount, payee in zip(
        rows.day[paid].tolist(), rows.amount[paid].tolist(), rows.payee[paid].tolist(), strict=True
    ):
        waiting = sorted(
            one
            for one in open_of[rows.payees[payee].counterparty]
            if one[1] not in met and day >= one[0] - INVOICE_EARLY_DAYS
        )
        met |= dict.fromkeys(_paid_by(amount, waiting), day)
    return met


def _paid_by(amount: float, waiting: Sequence[tuple[int, int, float]]) -> Sequence[int]:
    """The places that a payment stands for: the oldest of its amount, else the first few together, else none."""
    for _, place, owed in waiting:
        if _within(amount / owed, INVOICE_SHARE):
            return (place,)
    together = 0.0
    for count, (_, _, owed) in enumerate(waiting, start=1):
        together += owed
        if _within(amount / together, INVOICE_SHARE):
            return [place for _, place, _ in waiting[:count]]
    return ()


def _within(share: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= share <= limits[1]
