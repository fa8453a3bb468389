"""Charts of the accuracy page: what was foretold against what was, and a past fan with what came of it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from forecasting.selectors.forecasts import DayBalance
from forecasting.selectors.track_record import PastForecast
from forecasting.views.figure import PastBalances, fan_chart
from forecasting.views.projection import Projection
from ledger.templatetags.amounts import money_text
from ledger.views.chart import CLEAR, chart_layout

# A fan that is looked back at is worth looking at as far as something is known of it, and a month on.
LEAST_REPLAY_DAYS, MOST_REPLAY_DAYS = 91, 365


def record_chart(rows: Sequence[PastForecast], *, currency: str) -> dict[str, Any]:
    """Band, middle and outcome over the days that were foretold; `rows` ascend by day and are not empty."""
    days = [row.day.isoformat() for row in rows]
    p5, p50, p95, actual, linear = (
        [round(getattr(row, name)) for row in rows] for name in ("p5", "p50", "p95", "actual", "linear")
    )
    told = [
        [money_text(value, currency) for value in (row.p5, row.p50, row.p95, row.actual, row.linear)]
        for row in rows
    ]
    every = [*p5, *p95, *actual, 0]
    room = (max(every) - min(every)) * 0.06 or 1.0
    margin = timedelta(days=max(3, (rows[-1].day - rows[0].day).days // 40))
    start, end = rows[0].day - margin, rows[-1].day + margin
    line = {"type": "scatter", "x": days}
    return {
        "data": [
            {**line, "name": "90 %", "mode": "lines", "y": p5, "line": {"width": 0, "color": CLEAR}, **_QUIET},
            {
                **line,
                "name": "90 %",
                "mode": "lines",
                "y": p95,
                "line": {"width": 0, "color": CLEAR},
                "fill": "tonexty",
                "fillcolor": "var(--chart-band90)",
                **_QUIET,
            },
            {
                **line,
                "name": "linear",
                "mode": "lines",
                "y": linear,
                "line": {"color": "var(--chart-today)", "width": 1.25, "dash": "dot"},
                **_QUIET,
            },
            {
                **line,
                "name": "foretold",
                "mode": "lines",
                "y": p50,
                "line": {"color": "var(--chart-median)", "width": 2.25},
                **_QUIET,
            },
            {
                **line,
                "name": "was",
                "mode": "lines+markers",
                "y": actual,
                "customdata": told,
                "line": {"color": "var(--chart-actual)", "width": 1.5},
                "marker": {"size": 6, "color": "var(--chart-actual)"},
                "hovertemplate": (
                    "%{x|%a %-d %b %Y}<br>was %{customdata[3]}<br>foretold %{customdata[1]}<br>"
                    "90 %: %{customdata[0]} to %{customdata[2]}<br>linear %{customdata[4]}<extra></extra>"
                ),
            },
        ],
        "layout": chart_layout(
            currency=currency,
            start=start.isoformat(),
            end=end.isoformat(),
            low=min(every) - room,
            high=max(every) + room,
        ),
        "marks": [],
    }


def replay_chart(projection: Projection, *, past: PastBalances, since: Sequence[DayBalance]) -> dict[str, Any]:
    """The fan of a past day, and over it what the balance was on the days since."""
    known = len(since)
    future_days = min(max(LEAST_REPLAY_DAYS, known + 30), MOST_REPLAY_DAYS, projection.horizon_days)
    figure = fan_chart(projection=projection, past=past, future_days=future_days)
    shown = [row for row in since if row.day <= projection.day(future_days)]
    balances = [round(row.balance) for row in shown]
    figure["data"].append(
        {
            "type": "scatter",
            "name": "what came",
            "mode": "lines",
            "x": [row.day.isoformat() for row in shown],
            "y": balances,
            "customdata": [money_text(balance, projection.currency) for balance in balances],
            "line": {"color": "var(--chart-actual)", "width": 2, "dash": "solid"},
            "hovertemplate": "%{x|%a %-d %b %Y}<br>was %{customdata}<extra></extra>",
        }
    )
    low, high = figure["layout"]["yaxis"]["range"]
    low, high = min([low, *balances]), max([high, *balances])
    if [low, high] != figure["layout"]["yaxis"]["range"]:
        start, end = figure["layout"]["xaxis"]["range"]
        margin = (high - low) * 0.04
        figure["layout"] = chart_layout(
            currency=projection.currency, start=start, end=end, low=low - margin, high=high + margin
        )
    return figure


def band_of(projection: Projection, day: date) -> tuple[float, float, float] | None:
    """p5, p50 and p95 of the balance on a day; None where the fan does not reach."""
    ahead = (day - projection.as_of).days
    bands = projection.bands
    if ahead not in bands.days:
        return None
    place = bands.days.index(ahead)
    return bands.p5[place], bands.p50[place], bands.p95[place]


_QUIET = {"hoverinfo": "skip"}
