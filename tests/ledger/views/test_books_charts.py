"""Charts of the books: what is drawn is what the table and the sentence say, and Plotly takes it."""

from datetime import date, timedelta
from decimal import Decimal

import plotly.graph_objects as go
import pytest

from ledger.domain.credit_grant import CreditGrantBalance, grant_curve
from ledger.domain.recognition import EarnedMonth
from ledger.selectors.cash_days import CashDay
from ledger.selectors.cloud_costs import CloudMonth
from ledger.selectors.company_books import Unearned
from ledger.selectors.credits_on_day import Credits, Grant
from ledger.selectors.fx_months import FxMonth, FxYear
from ledger.views.books_charts import Chart, cash_chart, cloud_chart, credits_chart, fx_chart, unearned_chart

DAY = date(2026, 6, 15)


def dollars(amount: object) -> Decimal:
    return Decimal(str(amount))


def granted() -> Credits:
    start = date(2026, 5, 1)
    curve = grant_curve(
        "AWS",
        statements={
            start: [
                CreditGrantBalance("AWS", dollars(100), date(2026, 6, 30)),
                CreditGrantBalance("AWS", dollars(500), date(2026, 8, 31)),
            ]
        },
        used=[(date(2026, 6, 2), dollars(40))],
        start=start,
        end=date(2026, 9, 2),
    )
    grants = (
        Grant("AWS", date(2026, 6, 30), dollars(100), dollars(60), dollars(60)),
        Grant("AWS", date(2026, 8, 31), dollars(500), dollars(500), dollars(500)),
    )
    return Credits(DAY, dollars(560), grants, (curve,))


CHARTS = {
    "cash": cash_chart(
        [
            CashDay(date(2026, 6, 1), dollars(100), dollars(30)),
            CashDay(date(2026, 6, 3), dollars(0), dollars(7.5)),
        ],
        first_day=date(2026, 5, 20),
        day=DAY,
        currency="USD",
    ),
    "unearned": unearned_chart(
        Unearned(
            dollars(300),
            dollars(50),
            (
                EarnedMonth(date(2026, 6, 1), dollars(100), dollars(200)),
                EarnedMonth(date(2026, 7, 1), dollars(200), dollars(0)),
            ),
            (),
        ),
        day=DAY,
        currency="USD",
    ),
    "credits": credits_chart(granted(), currency="USD"),
    "cloud": cloud_chart(
        [
            CloudMonth("AWS", date(2026, 6, 1), dollars(90), dollars(50), dollars(40)),
            CloudMonth("GCP", date(2026, 6, 1), dollars(0), dollars(0), dollars(5)),
            CloudMonth("AWS", date(2026, 5, 1), dollars(0), dollars(80), dollars(0)),
        ],
        day=DAY,
        currency="USD",
    ),
    "fx": fx_chart(FxYear((FxMonth(date(2026, 6, 1), dollars(-3), dollars(12)),), (), ()), currency="USD"),
}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_one_that_plotly_takes(name: str) -> None:
    figure = CHARTS[name].figure
    go.Figure(data=figure["data"], layout=figure["layout"])
    assert all(set(mark) == {"x0", "at", "text", "short", "colour", "dash"} for mark in figure["marks"])


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_has_a_sentence_and_a_table_of_as_many_columns_as_headings(name: str) -> None:
    chart: Chart = CHARTS[name]
    assert chart.summary.endswith(".")
    assert chart.rows
    assert {len(row) for row in chart.rows} == {len(chart.headings)}


def trace(chart: Chart, name: str) -> dict:
    return next(each for each in chart.figure["data"] if each["name"] == name)


def test_money_out_is_drawn_below_the_zero_line() -> None:
    assert trace(CHARTS["cash"], "in")["y"] == [100.0, 0.0]
    assert trace(CHARTS["cash"], "out")["y"] == [-30.0, -7.5]
    low, high = CHARTS["cash"].figure["layout"]["yaxis"]["range"]
    assert low < -30
    assert high > 100


def test_unearned_runs_from_the_day_to_nothing() -> None:
    line = trace(CHARTS["unearned"], "unearned")
    assert line["x"] == ["2026-06-15", "2026-06-30", "2026-07-31"]
    assert line["y"] == [300.0, 200.0, 0.0]


def test_a_grant_is_a_slope_while_used_and_a_cliff_when_it_lapses() -> None:
    first = trace(CHARTS["credits"], "AWS, until 30\N{NO-BREAK SPACE}Jun\N{NO-BREAK SPACE}2026")
    left = dict(zip(first["x"], first["y"], strict=True))
    assert (left["2026-05-01"], left["2026-06-02"], left["2026-07-01"]) == (100.0, 60.0, 0.0)
    assert first["line"]["shape"] == "hv"
    # Only days on which something changes are drawn.
    assert len(first["x"]) < 10
    assert [mark["x0"] for mark in CHARTS["credits"].figure["marks"]] == ["2026-06-15", "2026-06-30", "2026-08-31"]


def test_a_month_of_the_cloud_stacks_how_it_was_paid_and_marks_what_was_charged_beside_it() -> None:
    assert trace(CHARTS["cloud"], "by credits")["y"] == [80.0, 50.0]
    assert trace(CHARTS["cloud"], "in cash")["y"] == [0.0, 45.0]
    assert trace(CHARTS["cloud"], "charged")["y"] == [0.0, 90.0]


def test_a_loss_is_said_with_its_sign() -> None:
    assert "−$3 were realised" in CHARTS["fx"].summary
    assert CHARTS["fx"].rows[0][1].startswith("−3.00")


def test_nothing_that_a_customer_wrote_becomes_markup() -> None:
    curve = grant_curve(
        "<b>x</b>",
        statements={DAY: [CreditGrantBalance("<b>x</b>", dollars(5), DAY + timedelta(days=3))]},
        used=[],
        start=DAY,
        end=DAY + timedelta(days=5),
    )
    grant = Grant("<b>x</b>", DAY + timedelta(days=3), dollars(5), dollars(5), dollars(5))
    chart = credits_chart(Credits(DAY, dollars(5), (grant,), (curve,)), currency="USD")
    hovered = [str(each.get("customdata", "")) + each.get("hovertemplate", "") for each in chart.figure["data"]]
    assert not any("<b>" in text for text in hovered)
