"""The chart of a replay: p5 as it was said, the thresholds of the policy, and the instances it would have run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.replay import Replayed, Stretch
from cloudpolicy.services.replay import PolicyReplay
from ledger.views.chart import MONTHS_FORMAT, chart_layout, round_ticks

MOST_POINTS = 1500
# Over so short a time several ticks fall on one day.
SHORT, HOURS_FORMAT = timedelta(days=6), "%-d %b %H:%M"


@dataclass(frozen=True, slots=True)
class BandRow:
    """Days in a band, in the past and in the average future; None where nothing is told."""

    band: str
    past: float | None
    future: float | None


def past_chart(replayed: Replayed, *, policy: Policy, zone: tzinfo) -> dict[str, Any]:
    """Data, layout and marks, as `static/js/chart.js` mounts them."""
    shown = _thinned(replayed.stretches)
    starts = [_local(each.start, zone) for each in shown] + [_local(shown[-1].stop, zone)]
    p5 = [round(each.p5_days) for each in (*shown, shown[-1])]
    instances = [each.instances for each in (*shown, shown[-1])]
    alone = [each.left_alone for each in (*shown, shown[-1])]
    high = max(*p5, *(row.until_days for row in policy.rows), 1) * 1.05
    is_short = shown[-1].stop - shown[0].start < SHORT
    layout = chart_layout(
        start=starts[0],
        end=starts[-1],
        low=0.0,
        high=high,
        currency="USD",
        tick_format=HOURS_FORMAT if is_short else MONTHS_FORMAT,
    )
    days, counts = round_ticks(low=0.0, high=high), max(*instances, *alone, 1) * 1.25
    whole = sorted({int(tick) for tick in round_ticks(low=0.0, high=counts, at_most=4)})
    layout["yaxis"] |= {"tickvals": days, "ticktext": [f"{day:,.0f} days" for day in days]}
    layout["yaxis2"] = {
        "range": [0, counts],
        "overlaying": "y",
        "side": "right",
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "tickvals": whole,
        "ticktext": [str(count) for count in whole],
    }
    layout["margin"] |= {"r": 40}
    layout["shapes"] = [_threshold(row.below_days) for row in policy.rows]
    return {
        "data": [
            _line("cautious runway", starts, p5, "%{y} days", colour="var(--chart-median)", dash="solid"),
            _line("instances with the policy", starts, instances, "%{y} with the policy", second=True,
                  colour="var(--chart-case1)", dash="solid"),
            _line("instances without a policy", starts, alone, "%{y} without a policy", second=True,
                  colour="var(--chart-case3)", dash="dot"),
        ],
        "layout": layout,
        "marks": [],
    }  # fmt: skip


def past_words(replayed: Replayed) -> str:
    """What the chart shows, in a sentence."""
    stretches = replayed.stretches
    low, high = min(each.p5_days for each in stretches), max(each.p5_days for each in stretches)
    fewest, most = min(each.instances for each in stretches), max(each.instances for each in stretches)
    run = f"{fewest}" if fewest == most else f"between {fewest} and {most}"
    return (
        f"From {stretches[0].start:%Y-%m-%d} to {stretches[-1].stop:%Y-%m-%d} the cautious runway lay between"
        f" {low:.0f} and {high:.0f} days; the policy would have run {run} instances, where"
        f" {stretches[-1].left_alone} run without it."
    )


def band_rows(told: PolicyReplay) -> tuple[BandRow, ...]:
    """Time in each band, the most severe first."""
    past = dict(told.past.replayed.days_in_band) if told.past else {}
    future = dict(told.future.days_in_band) if told.future else {}
    return tuple(
        BandRow(
            band,
            past.get(band, 0.0) if told.past else None,
            future.get(band, 0.0) if told.future else None,
        )
        for band in sorted({*past, *future}, key=_severity)
    )


def _severity(band: str) -> tuple[int, str]:
    number = band.removeprefix("below ")
    return (int(number), band) if number.isdecimal() else (10_000, band)


def _thinned(stretches: Sequence[Stretch]) -> Sequence[Stretch]:
    """What a chart can show: with more decisions than that, every so-manieth."""
    step = -(-len(stretches) // MOST_POINTS)
    return stretches if step <= 1 else (*stretches[:-1:step], stretches[-1])


def _line(
    name: str, x: list[str], y: list[int], hover: str, *, colour: str, dash: str, second: bool = False
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines",
        "x": x,
        "y": y,
        "yaxis": "y2" if second else "y",
        "line": {"color": colour, "width": 2, "dash": dash, "shape": "hv"},
        "hovertemplate": f"%{{x|%-d %b %Y}}<br>{hover}<extra></extra>",
    }


def _threshold(days: int) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": days,
        "y1": days,
        "line": {"color": "var(--chart-zero)", "width": 1, "dash": "dot"},
        "layer": "below",
    }


def _local(instant: datetime, zone: tzinfo) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
