"""Yearly tax credits: one uncertain payment each, a year after the last one."""

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Setting, slot_names
from forecasting.kernel.inputs import DatedLump

DELAY_SD_DAYS = 25.0  # claims are filed when the accounts are done, and looked at when somebody has time


def contribute(setting: Setting) -> Contribution:
    """A dated lump each."""
    expected = setting.company.tax_credits
    names = slot_names("tax credit", (f"{one.payee} {one.day}" for one in expected))
    return Contribution(
        dated_lumps=tuple(
            DatedLump(
                name=name,
                day=setting.days_ahead(one.day),
                amount=one.amount,
                probability=one.probability,
                delay_sd_days=DELAY_SD_DAYS,
            )
            for name, one in zip(names, expected, strict=True)
        )
    )


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """When each is due again."""
    return tuple(
        DatedEvent(
            day=setting.days_ahead(one.day),
            kind="tax",
            label=f"Tax credit of {one.payee}",
            amount=one.amount,
            probability=one.probability,
        )
        for one in setting.company.tax_credits
        if setting.days_ahead(one.day) <= setting.horizon_days
    )


DRIVER = Driver(name="tax_credits", label="Yearly tax credits", contribute=contribute, next_events=next_events)
