"""The fan chart is a figure that plotly understands, and shows what the forecast says."""

import json
import re
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go
import pytest

from forecasting.views.figure import RANGES, PastBalances, fan_chart
from forecasting.views.figure_words import figure_rows, summary
from forecasting.views.projection import Projection, projection_of
from tests.forecasting.views.sample_forecast import AS_OF, stored_forecast

PAST = PastBalances(
    first_day=AS_OF - timedelta(days=90), balances=tuple(1_200_000.0 - 1_000 * i for i in range(91))
)


def chart(projection: Projection | None = None, *, days: int = 183) -> dict[str, Any]:
    projection = projection or projection_of(stored_forecast(), today=AS_OF)
    return fan_chart(projection=projection, past=PAST, future_days=days)


def trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(trace for trace in figure["data"] if trace["name"] == name)


def in_real_colours(value: Any) -> Any:
    """As static/js/chart.js does: colours are CSS variables until they reach a theme."""
    if isinstance(value, str) and value.startswith("var("):
        return "#123456"
    if isinstance(value, dict):
        return {key: in_real_colours(item) for key, item in value.items()}
    return [in_real_colours(item) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("days", RANGES.values())
@pytest.mark.parametrize(
    "changes", [{}, {"tranche": False}, {"balance": -5_000.0}, {"burn_per_day": 0.0}, {"burn_per_day": -9_000.0}]
)
def test_plotly_finds_no_fault_with_it(days, changes):
    figure = chart(projection_of(stored_forecast(**changes), today=AS_OF), days=days)
    go.Figure(data=in_real_colours(figure["data"]), layout=in_real_colours(figure["layout"]))


def test_a_company_below_zero_sees_where_it_stands():
    figure = chart(projection_of(stored_forecast(balance=-5_000.0, tranche=False), today=AS_OF))
    low, high = figure["layout"]["yaxis"]["range"]
    assert low <= min(figure["data"][0]["y"]) < -5_000, "the path ahead is on the chart"
    assert high >= max(PAST.balances)


def test_its_texts_hold_no_markup_that_would_need_inline_styles():
    assert not re.findall(r"<(?!br>|extra>|/extra>)", json.dumps(chart()))


def test_the_bands_lie_inside_each_other():
    figure = chart()
    p5, p95, p25, p75 = (t["y"] for t in figure["data"][:4])
    median = trace(figure, "median")["y"]
    assert all(a <= b <= c <= d <= e for a, b, c, d, e in zip(p5, p25, median, p75, p95, strict=True))


def test_the_fan_opens_from_the_last_actual_balance():
    figure = chart()
    assert trace(figure, "median")["x"][0] == AS_OF.isoformat() == trace(figure, "actual")["x"][-1]
    assert {t["y"][0] for t in figure["data"][:4]} == {1_100_000}


def test_zero_is_a_tick_and_ticks_are_round():
    for balance in (3_000.0, 87_000.0, 1_100_000.0, 54_000_000.0):
        axis = chart(projection_of(stored_forecast(balance=balance, tranche=False), today=AS_OF))["layout"][
            "yaxis"
        ]
        assert 0 in axis["tickvals"]
        assert 3 <= len(axis["tickvals"]) <= 9
        assert len(set(axis["ticktext"])) == len(axis["ticktext"])


def test_today_comes_first_and_marks_carry_amount_and_probability():
    marks = chart()["marks"]
    assert [mark["text"] for mark in marks] == [
        "Today",
        "AWS credits end",
        "Tranche: pilot signed $520\N{NARROW NO-BREAK SPACE}k · 72\N{NARROW NO-BREAK SPACE}% likely",
    ]
    assert all(0 <= mark["at"] <= 1 for mark in marks)


def test_old_data_are_not_called_today():
    projection = projection_of(stored_forecast(), today=AS_OF + timedelta(days=3))
    assert chart(projection)["marks"][0]["text"] == "Last data"


def test_marks_beyond_the_view_are_left_out():
    assert len(chart(days=30)["marks"]) == 1


def test_a_company_that_never_runs_out_has_no_red_stretch():
    figure = chart(projection_of(stored_forecast(burn_per_day=0.0, tranche=False), today=AS_OF))
    assert [t["name"] for t in figure["data"]].count("runs out") == 0


def test_the_red_stretch_spans_p5_to_p95():
    projection = projection_of(stored_forecast(tranche=False), today=AS_OF)
    zone = trace(chart(projection), "runs out")
    assert zone["x"] == [projection.p5.day.isoformat(), projection.p95.day.isoformat()]


def test_the_table_has_a_row_a_week():
    projection = projection_of(stored_forecast(), today=AS_OF)
    rows = figure_rows(projection=projection, future_days=91)
    assert len(rows) == 13
    assert rows[0].day == date(2026, 11, 30)
    assert rows[0].p5 <= rows[0].p50 <= rows[0].p95


def test_the_summary_names_start_end_and_marks():
    text = summary(projection=projection_of(stored_forecast(), today=AS_OF), past=PAST, future_days=91)
    assert "it is $1.1\N{NARROW NO-BREAK SPACE}M" in text
    assert "with 90 % certainty between" in text
    assert "AWS credits end" in text
