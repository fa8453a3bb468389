"""The dates ahead of a company as its drivers know them: payments to come, and marks for the chart."""

from datetime import timedelta

from forecasting.drivers.assembly import Part
from forecasting.drivers.contribution import DatedEvent, Setting
from forecasting.outcome import PROBABILITY_DECIMALS, ChartMark, UpcomingEvent, money

LARGE_EVENT_SHARE = 0.01  # of a month's outflow: smaller bills do not deserve a line
EVENTS_LIMIT = 60


class ComingDates:
    """The dated events of one company's drivers, asked of each driver once for both bases.

    When money moves is no question of whose it is: a driver's events are the same on either basis, and only
    whether it has anything to say differs.
    """

    def __init__(self) -> None:
        self._events: dict[str, tuple[DatedEvent, ...]] = {}

    def next_events(self, setting: Setting, parts: tuple[Part, ...]) -> tuple[UpcomingEvent, ...]:
        """Of all drivers, soonest first; small ones are left out so that the list says something."""
        events = [event for part in parts for event in self._of(part, setting)]
        outflow = -sum(event.amount for event in events if event.amount < 0) / setting.horizon_days * 30.4
        told = [event for event in events if not event.amount or abs(event.amount) >= LARGE_EVENT_SHARE * outflow]
        told.sort(key=lambda event: (event.day, event.amount, event.label))
        return tuple(
            UpcomingEvent(
                day=event.day,
                date=setting.history.as_of + timedelta(days=event.day),
                kind=event.kind,
                label=event.label,
                amount=money(event.amount),
                probability=round(float(event.probability), PROBABILITY_DECIMALS),
            )
            for event in told[:EVENTS_LIMIT]
        )

    def _of(self, part: Part, setting: Setting) -> tuple[DatedEvent, ...]:
        name = part.driver.name
        if name not in self._events:
            self._events[name] = part.driver.next_events(setting)
        return self._events[name]


def marks_of(setting: Setting, parts: tuple[Part, ...]) -> tuple[ChartMark, ...]:
    """Lines of the fan chart, soonest first."""
    marks = sorted(
        (mark for part in parts for mark in part.driver.marks(setting)), key=lambda mark: (mark.day, mark.label)
    )
    return tuple(
        ChartMark(
            day=mark.day,
            date=setting.history.as_of + timedelta(days=mark.day),
            kind=mark.kind,
            label=mark.label,
            amount=money(mark.amount),
        )
        for mark in marks
    )
