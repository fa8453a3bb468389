"""Payroll tax already withheld: it lies in the bank and leaves within days; on the free basis it is gone now.

Where a payroll provider announces what will leave and when, that counts for its currency; else the habits of the
payroll say it.
"""

import numpy as np

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Setting
from forecasting.fit.payroll_tax import FittedPayrollTax
from ledger.domain.flows import day_number
from ledger.domain.liabilities import TaxDue


def contribute(setting: Setting) -> Contribution:
    """Bank: certain payments on their days. Free: the opening balance without them.

    The employer's own tax on a payroll is owed and nobody else's money: where the ledger tells it from what was
    withheld, it leaves on its day on either basis.
    """
    owed = _guessed(setting)
    stated = _stated(setting)
    if not owed and not stated:
        return Contribution()
    opening, fixed = 0.0, np.zeros(setting.horizon_days)
    if setting.is_free:
        opening = -sum(float(tax.owed_amount.sum()) for tax in owed)
        opening -= float(sum(tax.amount for tax in stated if tax.is_withheld))
    else:
        for tax in owed:
            fixed -= setting.per_day(tax.owed_day, tax.owed_amount)
    leaving = [tax for tax in stated if not (setting.is_free and tax.is_withheld)]
    if leaving:
        days = np.array([day_number(tax.day) for tax in leaving], dtype=np.int64)
        fixed -= setting.per_day(days, np.array([float(tax.amount) for tax in leaving]))
    return Contribution(opening=opening, fixed=fixed if leaving or not setting.is_free else None)


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """The remittances that are due."""
    guessed = tuple(
        DatedEvent(setting.days_ahead(day), "tax", f"{tax.label}, withheld", -amount)
        for tax in _guessed(setting)
        for day, amount in zip(tax.owed_day.tolist(), tax.owed_amount.tolist(), strict=True)
    )
    return guessed + tuple(
        DatedEvent(
            setting.days_ahead(day_number(tax.day)),
            "tax",
            f"Payroll tax {tax.currency}, {'withheld' if tax.is_withheld else "the company's own"}",
            -float(tax.amount),
        )
        for tax in _stated(setting)
    )


def _stated(setting: Setting) -> tuple[TaxDue, ...]:
    stated = setting.history.liabilities
    return () if stated is None else stated.taxes


def _guessed(setting: Setting) -> list[FittedPayrollTax]:
    """What is owed of payrolls of whose currency nothing is announced."""
    known = {tax.currency for tax in _stated(setting)}
    return [
        tax
        for payroll, taxes in zip(setting.company.payrolls, setting.company.taxes_of, strict=True)
        for tax in taxes
        if len(tax.owed_day) and payroll.currency not in known
    ]


DRIVER = Driver(
    name="payroll_tax", label="Withheld tax not yet paid", contribute=contribute, next_events=next_events
)
