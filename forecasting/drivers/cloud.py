"""Cloud usage: paid by credits while they last, by invoices a month later from then on."""

import numpy as np

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Mark, Setting
from forecasting.fit.calendar import add_months, month_of
from forecasting.fit.cloud import FittedCloud
from forecasting.kernel.inputs import CloudUsage, CreditGrant, Factor
from ledger.domain.flows import day_number


def contribute(setting: Setting) -> Contribution:
    """One metered usage per provider; a bill that is already due is certain."""
    fixed = np.zeros(setting.horizon_days)
    for cloud in setting.company.clouds:
        fixed -= setting.per_day(np.array([cloud.pending_day]), np.array([cloud.pending]))
    return Contribution(
        cloud=tuple(_usage(n, cloud, setting) for n, cloud in enumerate(setting.company.clouds)),
        fixed=fixed if fixed.any() else None,
    )


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """The last days of credits, and the next bill of what no credit pays."""
    events = []
    for cloud in setting.company.clouds:
        if cloud.pending:
            ahead = setting.days_ahead(cloud.pending_day)
            events.append(DatedEvent(ahead, "bill", f"{cloud.provider} bill", -cloud.pending))
        in_cash = 1.0 - cloud.payable if cloud.grants else 1.0
        if in_cash > 0.0:
            due = _next_invoice(cloud, setting.company.as_of_day)
            usage = cloud.unbilled + in_cash * cloud.usage_per_day * _days_left_in_month(setting.company.as_of_day)
            events.append(DatedEvent(setting.days_ahead(due), "bill", f"{cloud.provider} bill", -usage))
    events += [DatedEvent(mark.day, "credit", mark.label, 0.0) for mark in marks(setting)]
    return tuple(event for event in events if 1 <= event.day <= setting.horizon_days)


def marks(setting: Setting) -> tuple[Mark, ...]:
    """Where a credit ends: on the day it expires, or is used up at today's usage if that is sooner."""
    found = []
    for cloud in setting.company.clouds:
        start, paid_per_day = 0.0, max(cloud.payable * cloud.usage_per_day, 1e-9)
        for grant in cloud.grants:
            ahead = setting.days_ahead(day_number(grant.expires))
            used_up = start + float(grant.remaining) / paid_per_day
            if used_up < ahead:
                found.append(Mark(max(1, round(used_up)), "credit", f"{grant.provider} credit used up"))
            elif ahead >= 1:
                found.append(Mark(ahead, "credit", f"{grant.provider} credit expires", float(grant.remaining)))
            start = min(used_up, max(float(ahead), start))
    return tuple(mark for mark in found if mark.day <= setting.horizon_days)


def _usage(n: int, cloud: FittedCloud, setting: Setting) -> CloudUsage:
    factor = Factor(
        name=f"cloud {n}",
        daily=np.full(setting.horizon_days, cloud.usage_per_day),
        lvl=cloud.lvl,
        g=cloud.g,
        gsd=cloud.gsd,
        rw=cloud.rw,
    )
    return CloudUsage(
        usage=factor,
        invoice_day_of_month=cloud.invoice_day,
        unbilled=cloud.unbilled,
        grants=tuple(
            CreditGrant(
                remaining=float(grant.remaining), expires_day=setting.days_ahead(day_number(grant.expires))
            )
            for grant in cloud.grants
        ),
        payable=cloud.payable,
    )


def _next_invoice(cloud: FittedCloud, as_of_day: int) -> int:
    month = month_of(np.array([as_of_day])) + 1
    return int(add_months(month=month, day_of_month=cloud.invoice_day)[0])


def _days_left_in_month(as_of_day: int) -> int:
    month = month_of(np.array([as_of_day]))
    return int(add_months(month=month + 1, day_of_month=1)[0]) - 1 - as_of_day


DRIVER = Driver(
    name="cloud", label="Cloud usage and credits", contribute=contribute, next_events=next_events, marks=marks
)
