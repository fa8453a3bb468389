"""Open invoices: nearly all are paid, most of them late."""

import numpy as np

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Setting, slot_names
from forecasting.drivers.many_payments import single_and_many
from forecasting.kernel.inputs import DatedLump, Factor


def contribute(setting: Setting) -> Contribution:
    """A dated lump each; on the free basis what a deferred contract brings is earned over its term instead."""
    receivables = setting.company.contracts.receivables
    deferred = [owed for owed in receivables if setting.is_free and owed.term_days]
    cash = [owed for owed in receivables if not (setting.is_free and owed.term_days)]
    names = slot_names("receivable", (f"{owed.customer} {owed.due_day}" for owed in cash))
    factors = []
    if deferred:
        day, daily = np.arange(1, setting.horizon_days + 1), np.zeros(setting.horizon_days)
        for owed in deferred:
            # The term runs from the invoice's day, paid or not; the part before the payment is caught up by then.
            start = max(1, setting.days_ahead(owed.due_day))
            daily += np.where(day >= start, owed.probability * owed.amount / owed.term_days, 0.0)
        factors.append(Factor(name="earned receivables", daily=daily))
    lumps = [
        DatedLump(
            name=name,
            day=setting.days_ahead(owed.due_day) + owed.lateness.shift,
            amount=owed.amount,
            probability=owed.probability,
            delay_exp_days=owed.lateness.spread,
        )
        for name, owed in zip(names, cash, strict=True)
    ]
    single, many = single_and_many(lumps, name="small receivables", horizon_days=setting.horizon_days)
    return Contribution(factors=(*factors, *many), dated_lumps=single)


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """What customers owe, on the day it is due, or tomorrow when that is past."""
    return tuple(
        DatedEvent(
            day=max(1, setting.days_ahead(owed.due_day)),
            kind="receivable",
            label=f"{owed.customer} pays an invoice",
            amount=owed.amount,
            probability=owed.probability,
        )
        for owed in setting.company.contracts.receivables
        if setting.days_ahead(owed.due_day) <= setting.horizon_days
    )


DRIVER = Driver(name="receivables", label="Open invoices", contribute=contribute, next_events=next_events)
