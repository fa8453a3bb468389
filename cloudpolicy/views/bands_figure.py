"""The chart of the bands: p5 as it was said over the last months, against what the policy enters and leaves at."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from cloudpolicy.engine.policy import Policy
from forecasting.selectors.said_runways import SaidRunway
from ledger.templatetags.amounts import day_date
from ledger.views.books_charts import DAYS_FORMAT, MONTHS_FROM_DAYS, Chart
from ledger.views.chart import MONTHS_FORMAT, chart_layout, round_ticks

SHOWN_DAYS = 183
LEAST_SHOWN_DAYS = 14
MOST_POINTS = 800
# Room to the right of today, for the days of the thresholds.
ROOM_AHEAD = 0.18
# How much of the chart's height a line of text takes at the least height that a chart has.
LINE = 0.085


def bands_chart(*, said: Sequence[SaidRunway], p5_days: int | None, policy: Policy, now: datetime) -> Chart | None:
    """None while nothing was ever said.

    Args:
        said: the oldest first.
        p5_days: today's; None when there is no usable one.
        now: in the company's time zone.
    """
    points = [(each.at.astimezone(now.tzinfo), each.p5_days) for each in said if each.at <= now]
    if p5_days is not None:
        points.append((now, p5_days))
    if not points:
        return None
    step = -(-len(points) // MOST_POINTS)
    shown = points if step == 1 else [*points[:-1:step], points[-1]]
    enters = _by_days((row.below_days, row.environment) for row in policy.rows)
    leaves = _by_days((row.until_days, row.environment) for row in policy.rows)
    start = min(shown[0][0], now - timedelta(days=LEAST_SHOWN_DAYS))
    end = now + (now - start) * ROOM_AHEAD
    high = max([days for _, days in shown] + [*enters, *leaves, 1]) * 1.08
    return Chart(
        key="bands",
        label="Cautious runway against the bands of the policy",
        summary=_summary(shown, now=now, p5_days=p5_days, enters=enters, leaves=leaves),
        figure={
            "data": [_line(shown), _today(shown)],
            "layout": _layout(start, now, end, high, enters=enters, leaves=leaves),
            "marks": [
                {
                    "x0": _local(now),
                    "at": (now - start) / (end - start),
                    "text": "today",
                    "short": "today",
                    "colour": "var(--chart-today)",
                    "dash": "solid",
                }
            ],
        },
        legend=(
            ("swatch swatch-line chart-median", "cautious runway (p5), days"),
            ("swatch-dash chart-zero", "below this a row comes into force"),
            ("swatch-dash swatch-dot chart-today", "above this it is left"),
        ),
        caption="Cautious runway in days, the newest first; of a day the last that was said.",
        headings=("Day", "Cautious runway, days"),
        rows=tuple((day, f"{days:,}") for day, days in _by_day(points, now)),
    )


def _by_days(days_and_names: Iterable[tuple[int, str]]) -> dict[int, str]:
    """Thresholds in their order, each with the environments it is about."""
    found: dict[int, list[str]] = {}
    for days, name in days_and_names:
        if name not in found.setdefault(days, []):
            found[days].append(name)
    return {days: ", ".join(names) for days, names in sorted(found.items())}


def _layout(
    start: datetime, now: datetime, end: datetime, high: float, *, enters: dict[int, str], leaves: dict[int, str]
) -> dict[str, Any]:
    layout = chart_layout(
        start=_local(start),
        end=_local(end),
        low=0.0,
        high=high,
        currency="USD",
        tick_format=DAYS_FORMAT if (now - start).days < MONTHS_FROM_DAYS else MONTHS_FORMAT,
    )
    ticks = round_ticks(low=0.0, high=high)
    layout["yaxis"] |= {"tickvals": ticks, "ticktext": [f"{tick:,.0f}" for tick in ticks]}
    edges = sorted(enters)
    # The lower the band, the deeper its shade; above the ladder there is none.
    shades = ["var(--chart-band50)", *["var(--chart-band90)"] * len(edges)]
    layout["shapes"] = [
        *(_zone(low, top, shade) for low, top, shade in zip([0, *edges], edges, shades, strict=False)),
        *(_threshold(days, "var(--chart-zero)", "dash") for days in edges),
        *(_threshold(days, "var(--chart-today)", "dot") for days in leaves if days not in enters),
    ]
    # The legend says what each kind of line is for.
    days = sorted({*enters, *leaves})
    heights = _apart(days, gap=high * LINE)
    layout["annotations"] = [_name(at, f"{each:,}") for at, each in zip(heights, days, strict=True)]
    return layout


def _zone(low: int, top: int, shade: str) -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": low,
        "y1": top,
        "fillcolor": shade,
        "opacity": 0.55,
        "line": {"width": 0},
        "layer": "below",
    }


def _threshold(days: int, colour: str, dash: str) -> dict[str, Any]:
    line = {"color": colour, "width": 1.25, "dash": dash}
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": days,
        "y1": days,
        "line": line,
        "layer": "below",
    }


def _apart(heights: Sequence[float], *, gap: float) -> list[float]:
    """Heights, the lowest first, moved so that none is nearer to the next than a line of text; none below one."""
    placed: list[float] = []
    for height in sorted(heights, reverse=True):
        placed.insert(0, min(height, placed[0] - gap) if placed else height)
    for place, height in enumerate(placed):
        placed[place] = max(height, placed[place - 1] + gap if place else gap / 2)
    return placed


def _name(at: float, text: str) -> dict[str, Any]:
    return {
        "text": text,
        "showarrow": False,
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "y": at,
        "yanchor": "middle",
        "bgcolor": "var(--surface)",
        # Else the dashes lead up to the number and read as a minus.
        "borderpad": 4,
        "font": {"size": 11, "color": "var(--quiet)"},
    }


def _line(points: Sequence[tuple[datetime, int]]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": "cautious runway",
        "mode": "lines",
        "x": [_local(at) for at, _ in points],
        "y": [days for _, days in points],
        "line": {"color": "var(--chart-median)", "width": 2.25, "shape": "hv"},
        "hovertemplate": "%{x|%-d %b %Y}<br>cautious runway %{y} days<extra></extra>",
    }


def _today(points: Sequence[tuple[datetime, int]]) -> dict[str, Any]:
    at, days = points[-1]
    return {
        "type": "scatter",
        "name": "today",
        "mode": "markers",
        "x": [_local(at)],
        "y": [days],
        "marker": {"size": 9, "color": "var(--chart-median)"},
        "hoverinfo": "skip",
    }


def _summary(
    points: Sequence[tuple[datetime, int]],
    *,
    now: datetime,
    p5_days: int | None,
    enters: dict[int, str],
    leaves: dict[int, str],
) -> str:
    low, high = min(days for _, days in points), max(days for _, days in points)
    since = day_date(points[0][0].date(), now.date())
    between = f"was {low:,} days" if low == high else f"lay between {low:,} and {high:,} days"
    said = f"Since {since} the cautious runway {between}"
    today = f"; it is {p5_days:,} days today." if p5_days is not None else "; today there is no usable figure."
    if points[0][0].date() == now.date():
        said = "The cautious runway was told for the first time today"
    if not enters:
        return f"{said}{today} The policy has no rows."
    rows = "; ".join(f"{names} below {days}" for days, names in enters.items())
    left = " or ".join(str(days) for days in leaves)
    return f"{said}{today} Rows come into force: {rows}. They are left above {left} days."


def _by_day(points: Sequence[tuple[datetime, int]], now: datetime) -> list[tuple[str, int]]:
    last_of_day = {at.date(): days for at, days in points}
    return [(day_date(day, now.date()), days) for day, days in reversed(last_of_day.items())]


def _local(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S")
