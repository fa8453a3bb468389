"""The chart of cost against runway: what each day of the cloud cost, and the cautious runway of that day."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from cloudpolicy.selectors.cost_days import CostDay
from ledger.templatetags.amounts import day_date, exact_text, money_text
from ledger.views.books_charts import DAYS_FORMAT, MONTHS_FROM_DAYS, TICKS_OF_SMALL_CHART, Chart, bars
from ledger.views.chart import MONTHS_FORMAT, chart_layout, round_ticks

ONE_DAY = timedelta(days=1)


def cost_chart(*, days: Sequence[CostDay], today: date, currency: str) -> Chart | None:
    """None while no bill speaks of any of the days."""
    billed = [each for each in days if each.gross is not None]
    if not billed:
        return None
    cost = [float(each.gross or 0) for each in billed]
    said = [each for each in days if each.p5_days is not None]
    names = [each.day.isoformat() for each in billed]
    return Chart(
        key="cost",
        label="Cost of the cloud against the cautious runway",
        summary=_summary(billed, said, today=today, currency=currency),
        figure={
            "data": [
                bars("cost", names, cost, colour="var(--chart-band50)", currency=currency),
                _runway(said),
            ],
            "layout": _layout(days, billed, said, currency=currency),
            "marks": [],
        },
        legend=(
            ("swatch chart-band50", "cost by the bills, a day"),
            ("swatch swatch-line chart-median", "cautious runway, days (right)"),
        ),
        caption=(
            f"What each day cost in {currency} by the bills, the credits used on it, which pay for other days too,"
            " and the cautious runway of that day."
        ),
        headings=("Day", "Cost", "Credits used", "Cautious runway, days"),
        rows=tuple(
            (
                day_date(each.day, today),
                "no bill" if each.gross is None else exact_text(each.gross, currency),
                exact_text(each.credited, currency),
                "–" if each.p5_days is None else f"{each.p5_days:,}",
            )
            for each in reversed(days)
        ),
    )


def _layout(
    days: Sequence[CostDay], billed: Sequence[CostDay], said: Sequence[CostDay], *, currency: str
) -> dict[str, Any]:
    high = max(float(each.gross or 0) for each in billed) * 1.1 or 1.0
    longest = max((each.p5_days or 0 for each in said), default=0) * 1.15 or 1.0
    layout = chart_layout(
        start=(days[0].day - ONE_DAY).isoformat(),
        end=(days[-1].day + ONE_DAY).isoformat(),
        low=0.0,
        high=high,
        currency=currency,
        ticks_at_most=TICKS_OF_SMALL_CHART,
        tick_format=DAYS_FORMAT if len(days) < MONTHS_FROM_DAYS else MONTHS_FORMAT,
    )
    ticks = round_ticks(low=0.0, high=longest, at_most=TICKS_OF_SMALL_CHART)
    layout["yaxis2"] = {
        "range": [0, longest],
        "overlaying": "y",
        "side": "right",
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "tickvals": ticks,
        "ticktext": [f"{tick:,.0f}" for tick in ticks],
    }
    layout["margin"] |= {"r": 44}
    return {**layout, "bargap": 0.15}


def _runway(said: Sequence[CostDay]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": "cautious runway",
        "mode": "lines",
        "x": [each.day.isoformat() for each in said],
        "y": [each.p5_days for each in said],
        "yaxis": "y2",
        "line": {"color": "var(--chart-median)", "width": 2.25, "shape": "hv"},
        "hovertemplate": "cautious runway %{y} days<extra></extra>",
    }


def _summary(billed: Sequence[CostDay], said: Sequence[CostDay], *, today: date, currency: str) -> str:
    first, last = billed[0], billed[-1]
    total, credited = sum(each.gross or 0 for each in billed), sum(each.credited for each in billed)
    cost = (
        f"From {day_date(first.day, today)} to {day_date(last.day, today)} the cloud cost"
        f" {money_text(total, currency)} by the bills, on {len(billed):,} days"
    )
    if credited:
        # A credit is used once a month and pays for all of its days: no day is told to be paid by it.
        cost = f"{cost}, and credits of {money_text(credited, currency)} were used"
    if not said:
        return f"{cost}."
    low, high = min(each.p5_days or 0 for each in said), max(each.p5_days or 0 for each in said)
    between = f"was {low:,} days" if low == high else f"lay between {low:,} and {high:,} days"
    return f"{cost}; the cautious runway {between}."
