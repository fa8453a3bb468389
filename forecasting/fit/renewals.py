"""Yearly bills: the plan's renewals, and what the ledger says about the same vendors."""

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.cash_rows import CashRows
from forecasting.fit.history import CompanyHistory
from forecasting.fit.role import Role, has_role

SAME_BILL = 0.3  # a payment of less than this share of the renewal is something else
YEARLY_GAP_DAYS = 300
YOUNG_DAYS = 62


def planned_bills(rows: CashRows, history: CompanyHistory) -> NDArray[np.bool_]:
    """Rows that the plan's renewals speak for: past bills of those vendors, and yearly bills it does not renew.

    A finance person who lists the yearly bills has left out those that were cancelled. Without such a list every
    yearly bill stays with the pool.
    """
    renewals = {renewal.vendor: float(renewal.amount) for renewal in history.plan.annual_renewals}
    spoken_for = np.zeros(len(rows.day), dtype=bool)
    if not renewals:
        return spoken_for
    bill = has_role(rows.role, Role.SUBSCRIPTION, Role.OTHER, Role.RENT, Role.CLOUD) & (rows.amount < 0)
    smallest = np.array(
        [SAME_BILL * renewals.get(payee.counterparty, np.inf) for payee in rows.payees] or [np.inf]
    )
    if len(rows.day):
        spoken_for = bill & (-rows.amount >= smallest[rows.payee])
    subscription = bill & (rows.role == Role.SUBSCRIPTION)
    payees, first, count = np.unique(rows.payee[subscription], return_index=True, return_counts=True)
    day = rows.day[subscription]
    for payee, start, paid in zip(payees.tolist(), first.tolist(), count.tolist(), strict=True):
        if paid > 2 or rows.payees[payee].counterparty in renewals or rows.as_of_day - day[start] < YOUNG_DAYS:
            continue
        mine = subscription & (rows.payee == payee)
        if paid == 1 or int(np.diff(rows.day[mine])[0]) > YEARLY_GAP_DAYS:
            spoken_for |= mine
    return spoken_for
