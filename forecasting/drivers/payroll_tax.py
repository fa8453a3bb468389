"""Payroll tax already withheld: it lies in the bank and leaves within days; on the free basis it is gone now."""

import numpy as np

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Setting


def contribute(setting: Setting) -> Contribution:
    """Bank: certain payments on their days. Free: the opening balance without them."""
    owed = [tax for tax in setting.company.taxes_of if tax is not None and len(tax.owed_day)]
    if not owed:
        return Contribution()
    if setting.is_free:
        return Contribution(opening=-sum(float(tax.owed_amount.sum()) for tax in owed))
    fixed = np.zeros(setting.horizon_days)
    for tax in owed:
        fixed -= setting.per_day(tax.owed_day, tax.owed_amount)
    return Contribution(fixed=fixed)


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """The remittances that are due."""
    return tuple(
        DatedEvent(setting.days_ahead(day), "tax", f"Payroll tax {payroll.currency}, withheld", -amount)
        for payroll, tax in zip(setting.company.payrolls, setting.company.taxes_of, strict=True)
        if tax is not None
        for day, amount in zip(tax.owed_day.tolist(), tax.owed_amount.tolist(), strict=True)
    )


DRIVER = Driver(
    name="payroll_tax", label="Withheld tax not yet paid", contribute=contribute, next_events=next_events
)
