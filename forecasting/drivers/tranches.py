"""Funding that depends on a milestone: it comes with a probability, and late."""

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Mark, Setting
from forecasting.fit.plan import PlannedTranche
from forecasting.kernel.inputs import Tranche
from ledger.domain.flows import day_number


def contribute(setting: Setting) -> Contribution:
    """One tranche each, from the plan."""
    return Contribution(
        tranches=tuple(
            Tranche(
                name=name,
                day=setting.days_ahead(day_number(tranche.date)),
                amount=float(tranche.amount),
                probability=tranche.probability,
                delay_mean_days=tranche.delay.mean_days,
                delay_sd_days=tranche.delay.sd_days,
            )
            for name, tranche in named_tranches(setting)
        )
    )


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """Tranches on the day they are to be expected: planned day and mean delay."""
    return tuple(
        DatedEvent(mark.day, "tranche", mark.label, mark.amount, tranche.probability)
        for (_, tranche), mark in zip(named_tranches(setting), _all_marks(setting), strict=True)
        if mark.day <= setting.horizon_days
    )


def marks(setting: Setting) -> tuple[Mark, ...]:
    """The same days on the chart."""
    return tuple(mark for mark in _all_marks(setting) if mark.day <= setting.horizon_days)


def named_tranches(setting: Setting) -> tuple[tuple[str, PlannedTranche], ...]:
    """Tranches that are still to come by planned date, each with the name of its shocks.

    One that has come keeps its number, so that the luck of the others stays theirs.
    """
    planned = enumerate(setting.history.plan.tranches)
    ordered = sorted(planned, key=lambda placed: (placed[1].date, placed[1].amount))
    return tuple(
        (f"tranche {n}", tranche)
        for n, (place, tranche) in enumerate(ordered)
        if place not in setting.company.arrived
    )


def tranche_label(tranche: PlannedTranche) -> str:
    """What a founder calls it."""
    return f"Tranche: {tranche.milestone}" if tranche.milestone else "Tranche"


def _all_marks(setting: Setting) -> tuple[Mark, ...]:
    return tuple(
        Mark(
            day=max(1, setting.days_ahead(day_number(tranche.date)) + round(tranche.delay.mean_days)),
            kind="tranche",
            label=tranche_label(tranche),
            amount=float(tranche.amount),
        )
        for _, tranche in named_tranches(setting)
    )


DRIVER = Driver(
    name="tranches", label="Funding tranches", contribute=contribute, next_events=next_events, marks=marks
)
