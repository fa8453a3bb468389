"""The fan chart as a table and as a few sentences: the same figures for who cannot see it, or has no script."""

from dataclasses import dataclass
from datetime import date

from forecasting.views.figure import RANGES, PastBalances, event_words
from forecasting.views.projection import Projection
from ledger.templatetags.amounts import day_date, money_text


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One line of the table that stands for the chart."""

    day: date
    p5: int
    p25: int
    p50: int
    p75: int
    p95: int


def figure_rows(*, projection: Projection, future_days: int) -> tuple[FigureRow, ...]:
    """The bands once a week up to half a year, once in two weeks beyond it."""
    step = 7 if future_days <= RANGES["6m"] else 14
    wanted = set(range(step, future_days + 1, step))
    bands = projection.bands
    quantiles = (bands.p5, bands.p25, bands.p50, bands.p75, bands.p95)
    return tuple(
        FigureRow(projection.day(day), *(round(row[i]) for row in quantiles))
        for i, day in enumerate(bands.days)
        if day in wanted
    )


def summary(*, projection: Projection, past: PastBalances, future_days: int) -> str:
    """What the chart shows, in words, for who does not see it."""
    bands, as_of, today = projection.bands, projection.as_of, projection.today

    def amount(value: float) -> str:
        return money_text(value, projection.currency)

    sentences = []
    if past.balances and past.first_day < as_of:
        sentences.append(f"On {day_date(past.first_day, today)} the balance was {amount(past.balances[0])}.")
    sentences.append(f"On {day_date(as_of, today)} it is {money_text(projection.balance, projection.currency)}.")
    last = max((i for i, day in enumerate(bands.days) if day <= future_days), default=None)
    if last is not None:
        sentences.append(
            f"On {day_date(projection.day(bands.days[last]), today)} it is {amount(bands.p50[last])} in the middle"
            f" of all futures, with 90 % certainty between {amount(bands.p5[last])} and {amount(bands.p95[last])}."
        )
    sentences.extend(
        f"{day_date(event.date, today)}: {event_words(event, currency=projection.currency)}."
        for event in projection.marks
    )
    return " ".join(sentences)
