"""What was there on past days, by hand arithmetic."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from forecasting.closing_balances import bank_balances, free_balances
from forecasting.fit.deferred import unearned
from forecasting.fit.history import CompanyHistory
from ledger.domain.flows import EVENT_TYPES, ContractReceipt, DailyFlows, day_number

AS_OF = date(2026, 3, 31)


def history(
    rows: list[tuple[date, float, str, str]], contracts: tuple[ContractReceipt, ...] = ()
) -> CompanyHistory:
    """Rows of (day, signed amount, currency, event type); 1,000 USD and 10 EUR are there at the end."""
    rows = sorted(rows)
    currencies = tuple(sorted({row[2] for row in rows}))
    nothing = np.zeros(len(rows), dtype=np.int32)
    flows = DailyFlows(
        day=np.array([day_number(row[0]) for row in rows], dtype=np.int32),
        amount=np.array([row[1] for row in rows], dtype=np.float64),
        count=np.ones(len(rows), dtype=np.int32),
        event_type=np.array([EVENT_TYPES.index(row[3]) for row in rows], dtype=np.int8),
        currency=np.array([currencies.index(row[2]) for row in rows], dtype=np.int32),
        category=nothing,
        counterparty=nothing,
        currencies=currencies,
        categories=("x",),
        counterparties=("x",),
        contracts=contracts,
    )
    return CompanyHistory(
        as_of=AS_OF,
        base_currency="USD",
        flows=flows,
        cash={"USD": Decimal(1000), "EUR": Decimal(10)},
        rates={"EUR": Decimal("1.1")},
    )


def test_the_known_end_is_rolled_back_day_by_day() -> None:
    balances = bank_balances(
        history(
            [
                (date(2026, 3, 29), 50.0, "USD", "income"),
                (date(2026, 3, 30), -20.0, "EUR", "expense"),
                (date(2026, 3, 30), 500.0, "USD", "credit"),
                (date(2026, 3, 31), -100.0, "USD", "expense"),
            ]
        )
    )
    assert balances.first_day == date(2026, 3, 28)
    # 1,000 + 10 EUR x 1.1; before the 31st 100 more; before the 30th 20 EUR more; the vendor credit moves no cash.
    assert balances.balances.tolist() == pytest.approx([1083.0, 1133.0, 1111.0, 1011.0])


def test_it_shows_no_more_days_than_asked_for() -> None:
    balances = bank_balances(history([(date(2025, 1, 1), 5.0, "USD", "income")]), days=3)
    assert (balances.first_day, balances.balances.size) == (date(2026, 3, 28), 4)


def test_flows_after_the_as_of_date_change_nothing() -> None:
    balances = bank_balances(history([(date(2026, 4, 1), 5.0, "USD", "income")]))
    assert balances.balances.tolist() == pytest.approx([1011.0])


def test_free_balances_leave_out_what_is_unearned_as_the_forecast_does() -> None:
    contract = ContractReceipt(
        day=date(2026, 3, 30),
        customer="c",
        amount=Decimal(120),
        currency="EUR",
        term_months=12,
        deferred=True,
        renewal=False,
    )
    past = history(
        [(date(2026, 3, 29), 50.0, "USD", "income"), (date(2026, 3, 30), 120.0, "EUR", "income")], (contract,)
    )
    bank = bank_balances(past)
    free = free_balances(past, bank=bank, opening=Decimal("12.34"))
    assert free.balances[-1] == 12.34
    # Nothing was owed before the payment; on its day 364 of 365 days were still to be delivered.
    assert free.balances[:2].tolist() == bank.balances[:2].tolist()
    assert bank.balances[2] - free.balances[2] == pytest.approx(120 * 1.1 * 364 / 365)
    (left,) = unearned(past)
    assert left.amount == pytest.approx(120 * 1.1 * 363 / 365)
