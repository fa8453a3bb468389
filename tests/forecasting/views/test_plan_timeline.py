"""Where things stand on the line of time."""

from datetime import date, timedelta
from decimal import Decimal
from math import log

import pytest

from forecasting.fit.plan import Delay, PlanDocument, PlannedHire, PlannedTranche, parse_plan
from forecasting.views.plan_rows import Facts
from forecasting.views.plan_timeline import plan_timeline
from forecasting.views.planned_lanes import likely_days
from tests.forecasting.drivers.settings import setting

TODAY = date(2026, 4, 1)
FACTS = Facts(base_currency="USD", today=TODAY, left={})


def timeline(document: PlanDocument, **kwargs):
    return plan_timeline(document, facts=FACTS, setting=None, runout=kwargs.get("runout"))


def share(x: str) -> float:
    return float(x.removesuffix("%")) / 100


def tranche(day: date, **delay: float) -> PlannedTranche:
    return PlannedTranche(day, Decimal(500_000), 0.6, Delay(**delay), "Pilot <b>signed</b>")


def test_a_delay_that_is_exponential_lies_where_its_logarithm_says():
    """A Gamma whose sd is its mean is exponential: its quantile q is -mean ln(1 - q)."""
    soon, last = likely_days(tranche(TODAY, mean_days=40.0, sd_days=40.0))
    assert soon == TODAY + timedelta(days=-40 * log(0.95))
    assert last == TODAY + timedelta(days=-40 * log(0.05))


def test_thirteen_months_stand_in_order_and_january_is_told_by_its_year():
    line = timeline(PlanDocument())
    assert [month.label for month in line.months][:2] == ["Apr", "May"]
    assert [month.label for month in line.months if month.is_year] == ["2027"]
    places = [share(month.x) for month in line.months]
    assert places == sorted(places)
    assert places[0] == 0
    assert line.today == line.months[0].x
    assert line.groups == ()


def test_a_tranche_stands_where_it_is_expected_inside_the_days_it_may_come():
    line = timeline(PlanDocument(tranches=(tranche(date(2026, 6, 1), mean_days=20.0, sd_days=10.0),)))
    (lane,) = line.groups[0].lanes
    likely, dot = lane.shapes
    assert (likely.form, dot.form) == ("range", "dot")
    whole = (date(2027, 5, 1) - TODAY).days
    assert share(dot.x) == pytest.approx((date(2026, 6, 21) - TODAY).days / whole, abs=1e-4)
    assert share(likely.x) < share(dot.x) < share(likely.x) + share(likely.width)
    assert lane.anchor == "tranches-0"
    assert "60\N{NARROW NO-BREAK SPACE}% likely" in lane.aside


@pytest.mark.parametrize("day", [date(1999, 1, 1), date(2100, 12, 31)])
def test_what_lies_outside_the_view_keeps_its_lane_without_a_shape(day):
    line = timeline(PlanDocument(tranches=(tranche(day, mean_days=1.0, sd_days=1.0),)))
    assert [lane.shapes for lane in line.groups[0].lanes] == [()]


def test_many_hires_share_the_last_lane_and_none_is_lost():
    hires = tuple(
        PlannedHire(TODAY + timedelta(days=7 * n), Decimal(5_000), "USD", confirmed=True) for n in range(30)
    )
    (group,) = timeline(PlanDocument(planned_hires=hires)).groups
    assert group.lanes[-1].title == "23 more hires"
    assert sum(len(lane.shapes) for lane in group.lanes) == 30


def test_a_yearly_bill_of_the_past_stands_on_its_next_day():
    plan = parse_plan({"annual_renewals": [{"vendor": "Okta", "date": "2024-06-01", "amount": "900"}]})
    (lane,) = timeline(plan).groups[0].lanes
    assert [shape.words[:12] for shape in lane.shapes] == ["Okta, 1\N{NO-BREAK SPACE}Jun:"]


def test_an_overdue_invoice_waits_where_today_is():
    plan = parse_plan({"open_receivables": [{"customer": "Corbel", "amount": "900", "due": "2026-03-20"}]})
    line = timeline(plan)
    (shape,) = line.groups[0].lanes[0].shapes
    assert (shape.x, shape.tone) == (line.today, "doubt")
    assert "due for 12 days" in shape.words


def test_the_zone_of_running_out_ends_with_the_view_when_nobody_knows_its_end():
    line = timeline(PlanDocument(), runout=(date(2026, 7, 1), date(2027, 1, 1), None))
    assert share(line.runout.x) + share(line.runout.width) == pytest.approx(1.0, abs=1e-4)
    assert "beyond the year" in line.runout.words
    assert timeline(PlanDocument(), runout=(None, None, None)).runout is None


def test_a_yearly_tax_credit_has_a_lane_beside_the_taxes():
    books = setting("2024-11-20 60000 research_tax_credit HMRC\n")
    line = plan_timeline(
        PlanDocument(),
        facts=Facts(base_currency="USD", today=date(2025, 6, 30), left={}),
        setting=books,
        runout=None,
    )
    (lane,) = [lane for group in line.groups for lane in group.lanes if lane.title == "Tax credits"]
    (dot,) = lane.shapes
    assert dot.tone == "in"
    assert "60" in lane.aside
