"""The fan chart as a Plotly figure, built from plain dictionaries.

plotly.graph_objects would cost every web process 30 MB and 14 ms a figure to check what a test checks once (see
docs/adr/0051). Colours are CSS variables by name; static/js/chart.js puts the theme's colours in, and gives the
marks the place that the width of the screen leaves. Texts hold no markup but <br>: plotly.js would turn <b> into a
style attribute, which the Content-Security-Policy forbids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from forecasting.views.projection import ComingEvent, Projection
from ledger.templatetags.amounts import money_text, odds
from ledger.views.chart import CLEAR, chart_layout

RANGES = {"3m": 91, "6m": 183, "12m": 365}
DEFAULT_RANGE = "6m"
# What happened takes a quarter of the width: enough to see the slope, not so much that the future gets small.
PAST_SHARE_OF_FUTURE = 1 / 3
# Below zero nothing is new: a quarter of the height says "deep in debt" as well as all of it would.
BELOW_ZERO_SHARE = 0.24
TRANCHE = "tranche"


@dataclass(frozen=True, slots=True)
class PastBalances:
    """What the balance was at the end of consecutive days, the last one being the as-of date."""

    first_day: date
    balances: tuple[float, ...]


def fan_chart(*, projection: Projection, past: PastBalances, future_days: int) -> dict[str, Any]:
    """Data, layout and dated marks of the chart.

    Returns:
        `{"data": traces, "layout": layout, "marks": [{x0, at, text, short, colour, dash}]}`; `at` is the mark's
        place as a share of the width.
    """
    start = max(past.first_day, projection.as_of - timedelta(days=round(future_days * PAST_SHARE_OF_FUTURE)))
    end = projection.day(future_days)
    fan = _Fan.of(projection, last_day=future_days)
    history = _history(past, start=start, projection=projection)
    low, high = _height(fan=fan, history=history[1])
    return {
        "data": _traces(projection=projection, fan=fan, history=history, start=start, end=end),
        "layout": chart_layout(
            start=start.isoformat(), end=end.isoformat(), low=low, high=high, currency=projection.currency
        ),
        "marks": _marks(projection=projection, start=start, end=end),
    }


@dataclass(frozen=True, slots=True)
class _Fan:
    """The bands within the view, opening from today's balance."""

    days: tuple[int, ...]
    dates: tuple[str, ...]
    quantiles: tuple[tuple[int, ...], ...]  # p5, p25, p50, p75, p95

    @classmethod
    def of(cls, projection: Projection, *, last_day: int) -> "_Fan":
        bands = projection.bands
        shown = [i for i, day in enumerate(bands.days) if 0 < day <= last_day]
        today = round(projection.balance)
        days = (0, *(bands.days[i] for i in shown))
        return cls(
            days=days,
            dates=tuple(projection.day(day).isoformat() for day in days),
            quantiles=tuple(
                (today, *(round(row[i]) for i in shown))
                for row in (bands.p5, bands.p25, bands.p50, bands.p75, bands.p95)
            ),
        )


def _history(past: PastBalances, *, start: date, projection: Projection) -> tuple[list[str], list[int]]:
    dates, balances = [], []
    for offset, balance in enumerate(past.balances):
        day = past.first_day + timedelta(days=offset)
        if start <= day <= projection.as_of:
            dates.append(day.isoformat())
            balances.append(round(balance))
    return dates, balances


def _height(*, fan: _Fan, history: Sequence[int]) -> tuple[float, float]:
    top = max(*fan.quantiles[4], *history, 0) if history else max(*fan.quantiles[4], 0)
    bottom = min(*fan.quantiles[0], *history, 0) if history else min(*fan.quantiles[0], 0)
    if top <= 0:
        return bottom * 1.08 or -1.0, max(-bottom * 0.1, 1.0)
    if bottom >= 0:
        return -top * 0.05, top * 1.04
    # Where there is nothing left already, what lies below zero is all there is to show.
    deepest = bottom * 1.05 if fan.quantiles[2][0] <= 0 else max(bottom * 1.05, -top * BELOW_ZERO_SHARE)
    return deepest, top * 1.04


def _traces(
    *, projection: Projection, fan: _Fan, history: tuple[list[str], list[int]], start: date, end: date
) -> list[dict[str, Any]]:
    p5, p25, p50, p75, p95 = fan.quantiles
    traces = [
        _edge("90 %", fan, p5),
        _band("90 %", fan, p95, colour="var(--chart-band90)"),
        _edge("50 %", fan, p25),
        _band("50 %", fan, p75, colour="var(--chart-band50)"),
        {
            "type": "scatter",
            "name": "actual",
            "mode": "lines",
            "x": history[0],
            "y": history[1],
            "customdata": [money_text(balance, projection.currency) for balance in history[1]],
            "line": {"color": "var(--chart-actual)", "width": 2},
            "hovertemplate": "%{x|%a %-d %b %Y}<br>was %{customdata}<extra></extra>",
        },
        {
            "type": "scatter",
            "name": "median",
            "mode": "lines",
            "x": fan.dates,
            "y": p50,
            "customdata": [
                [money_text(value, projection.currency) for value in values]
                for values in zip(p5, p25, p50, p75, p95, strict=True)
            ],
            "line": {"color": "var(--chart-median)", "width": 2.25},
            "hovertemplate": (
                "%{x|%a %-d %b %Y}<br>middle %{customdata[2]}<br>"
                "50 %: %{customdata[1]} to %{customdata[3]}<br>"
                "90 %: %{customdata[0]} to %{customdata[4]}<extra></extra>"
            ),
        },
    ]
    return [*traces, zero_line(start=start, end=end), *_runout(projection, end=end)]


def _edge(name: str, fan: _Fan, values: Sequence[int]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines",
        "x": fan.dates,
        "y": values,
        "line": {"width": 0, "color": CLEAR},
        "hoverinfo": "skip",
    }


def _band(name: str, fan: _Fan, values: Sequence[int], *, colour: str) -> dict[str, Any]:
    return {**_edge(name, fan, values), "fill": "tonexty", "fillcolor": colour}


def zero_line(*, start: date, end: date) -> dict[str, Any]:
    """Where there is no cash left."""
    return {
        "type": "scatter",
        "name": "zero",
        "mode": "lines",
        "x": [start.isoformat(), end.isoformat()],
        "y": [0, 0],
        "line": {"color": "var(--chart-zero)", "width": 1.5},
        "hoverinfo": "skip",
    }


def _runout(projection: Projection, *, end: date) -> list[dict[str, Any]]:
    """The days on which cash runs out with 90 % certainty, on the zero line itself, with the middle as a dot."""
    first = projection.p5.day
    if first is None or first > end or projection.balance <= 0:
        return []
    last = min(projection.p95.day or end, end)
    zone: dict[str, Any] = {
        "type": "scatter",
        "name": "runs out",
        "mode": "lines",
        "x": [first.isoformat(), last.isoformat()],
        "y": [0, 0],
        "line": {"color": "var(--chart-zero)", "width": 6},
        "hoverinfo": "skip",
    }
    middle = projection.p50.day
    if middle is None or middle > end:
        return [zone]
    dot: dict[str, Any] = {
        "type": "scatter",
        "name": "runs out",
        "mode": "markers",
        "x": [middle.isoformat()],
        "y": [0],
        "marker": {
            "size": 12,
            "color": "var(--surface)",
            "line": {"color": "var(--chart-zero)", "width": 3},
        },
        "hoverinfo": "skip",
    }
    return [zone, dot]


def _marks(*, projection: Projection, start: date, end: date) -> list[dict[str, Any]]:
    """Where the forecast starts first, because the first mark gets the best place; then by date."""
    width_days = (end - start).days

    def mark(day: date, *, text: str, short: str, colour: str, dash: str) -> dict[str, Any]:
        at = (day - start).days / width_days
        return {"x0": day.isoformat(), "at": at, "text": text, "short": short, "colour": colour, "dash": dash}

    now = "Today" if projection.as_of >= projection.today else "Last data"
    return [
        mark(projection.as_of, text=now, short=now, colour="var(--chart-today)", dash="solid"),
        *(
            mark(
                event.date,
                text=event_words(event, currency=projection.currency),
                short="New money" if event.kind == TRANCHE else event.label,
                colour="var(--good)" if event.kind == TRANCHE else "var(--warn)",
                dash="3px,3px",
            )
            for event in sorted(projection.marks, key=lambda event: event.date)
            if projection.as_of < event.date <= end
        ),
    ]


def event_words(event: ComingEvent, *, currency: str) -> str:
    """`Second tranche $520 k · 72 % likely`."""
    text = event.label
    if event.amount is not None:
        text += f" {money_text(event.amount, currency)}"
    if event.probability is not None:
        text += f" · {odds(event.probability)} likely"
    return text
