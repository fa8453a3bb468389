"""The chart of what-ifs: the base as a band, every case as its middle in a colour and a dash of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from forecasting.kernel.outcome import Bands
from forecasting.scenarios.comparison import Case
from forecasting.views.figure import BELOW_ZERO_SHARE, zero_line
from ledger.templatetags.amounts import day_date, money_text
from ledger.views.chart import CLEAR, chart_layout

# Colour never tells two lines apart alone.
DASHES = ("dash", "dot", "dashdot", "longdash")
TABLE_STEP_DAYS = 28


@dataclass(frozen=True, slots=True)
class Line:
    """A case of the chart; `place` 1 to 4 chooses colour and dash."""

    place: int
    name: str
    case: Case


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """The middle balance of base and cases on a day."""

    day: date
    balances: tuple[int, ...]


def what_if_chart(
    *, base: Case, lines: Sequence[Line], as_of: date, currency: str, future_days: int
) -> dict[str, Any]:
    """Data, layout and marks, as `static/js/chart.js` mounts them."""
    end = as_of + timedelta(days=future_days)
    top = max(_most(each.bands.p95, each, future_days) for each in (base, *(line.case for line in lines)))
    least = min(float(base.bands.p5[:future_days].min()), *(_least(each.case, future_days) for each in lines), 0.0)
    top = max(top, 0.0)
    if top <= 0:
        low, high = least * 1.08 or -1.0, max(-least * 0.1, 1.0)
    else:
        low, high = (max(least * 1.05, -top * BELOW_ZERO_SHARE) if least < 0 else -top * 0.05), top * 1.04
    dates = [(as_of + timedelta(days=n)).isoformat() for n in range(future_days + 1)]
    traces = [
        _edge(dates, base, base.bands.p5, future_days),
        _edge(dates, base, base.bands.p95, future_days) | {"fill": "tonexty", "fillcolor": "var(--chart-band90)"},
        _middle("as it is", dates, base, future_days, currency, colour="var(--chart-median)", dash="solid"),
        *(
            _middle(
                line.name,
                dates,
                line.case,
                future_days,
                currency,
                colour=f"var(--chart-case{line.place})",
                dash=DASHES[line.place - 1],
            )
            for line in lines
        ),
        zero_line(start=as_of, end=end),
    ]
    return {
        "data": traces,
        "layout": chart_layout(
            currency=currency, start=as_of.isoformat(), end=end.isoformat(), low=low, high=high
        ),
        "marks": [],
    }


def balance_rows(*, base: Case, lines: Sequence[Line], as_of: date, future_days: int) -> tuple[BalanceRow, ...]:
    """The same as a table, every four weeks."""
    cases = (base, *(line.case for line in lines))
    return tuple(
        BalanceRow(
            day=as_of + timedelta(days=day),
            balances=tuple(round(float(each.bands.p50[day - 1])) for each in cases),
        )
        for day in range(TABLE_STEP_DAYS, future_days + 1, TABLE_STEP_DAYS)
    )


def chart_words(
    *, base: Case, lines: Sequence[Line], as_of: date, today: date, currency: str, future_days: int
) -> str:
    """What the chart shows, for who does not see it."""
    last = day_date(as_of + timedelta(days=future_days), today)
    told = [f"As it is, the middle balance on {last} is {_last(base.bands, future_days, currency)}."]
    told += [f"With {each.name} it is {_last(each.case.bands, future_days, currency)}." for each in lines]
    return " ".join(told)


def _last(bands: Bands, future_days: int, currency: str) -> str:
    return money_text(float(bands.p50[future_days - 1]), currency)


def _most(quantile: Any, each: Case, future_days: int) -> float:
    return max(float(quantile[:future_days].max()), each.opening_balance)


def _least(each: Case, future_days: int) -> float:
    return float(each.bands.p50[:future_days].min())


def _values(each: Case, quantile: Any, future_days: int) -> list[int]:
    return [round(each.opening_balance), *(round(value) for value in quantile[:future_days].tolist())]


def _edge(dates: Sequence[str], each: Case, quantile: Any, future_days: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": "90 %",
        "mode": "lines",
        "x": dates,
        "y": _values(each, quantile, future_days),
        "line": {"width": 0, "color": CLEAR},
        "hoverinfo": "skip",
    }


def _middle(
    name: str, dates: Sequence[str], each: Case, future_days: int, currency: str, *, colour: str, dash: str
) -> dict[str, Any]:
    balances = _values(each, each.bands.p50, future_days)
    return {
        "type": "scatter",
        "name": "",
        "mode": "lines",
        "x": dates,
        "y": balances,
        # A name is what somebody typed, and plotly.js reads texts as a little HTML.
        "customdata": [[_literal(name), money_text(balance, currency)] for balance in balances],
        "line": {"color": colour, "width": 2.25, "dash": dash},
        "hovertemplate": "%{x|%a %-d %b %Y}<br>%{customdata[0]}: %{customdata[1]}<extra></extra>",
    }


def _literal(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
