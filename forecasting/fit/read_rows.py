"""Reading a company's flows: valued in base currency, one payee for each who is one, a role for every row."""

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.cash_rows import CashRows, Payee
from forecasting.fit.history import CompanyHistory, base_rates
from forecasting.fit.payees import without_numbers, without_slips
from forecasting.fit.role import role_of
from forecasting.fit.settled_roles import settle_roles
from ledger.domain.flows import day_number


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
    payees, payee = without_numbers(payees, payee, day)
    payee = without_slips(payees, payee, day, amount)
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
    return settle_roles(rows, history)


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
