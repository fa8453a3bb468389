"""What a lever buys is what a second simulation says, and three different ones are shown."""

from dataclasses import replace

import pytest

from forecasting.drivers.contribution import Contribution
from forecasting.explain.levers import LEVERS, best_levers
from forecasting.kernel.inputs import DatedLump
from tests.forecasting.explain.stages import AS_OF, by_hand, flat, stage_of
from tests.forecasting.journal import every, history, monthly

BUSY = (
    monthly(start="2024-01-05", months=18, line="-3000 software Tools Inc")
    + monthly(start="2024-01-28", months=18, line="-30000 payroll Gusto")
    + monthly(start="2024-01-03", months=18, line="-6000 cloud AWS")
    + every(1, start="2024-01-01", until=AS_OF, line="+700 revenue Stripe")
    + every(3, start="2024-01-01", until=AS_OF, line="-400 card Cafe")
)
PLAN = {
    "planned_hires": [{"start": "2025-08-01", "monthly_gross": "9000", "currency": "USD", "confirmed": True}],
    "open_receivables": [{"customer": "Globex", "amount": "30000", "due": "2025-09-15"}],
    "tranches": [
        {
            "date": "2025-10-01",
            "amount": "400000",
            "probability": 0.9,
            "delay": {"dist": "gamma", "mean_days": 60, "sd_days": 20},
            "milestone": "Series A",
        }
    ],
}


def test_a_tenth_less_spending_buys_what_division_says():
    stage = by_hand(pool=flat(-1_000.0))
    lever = best_levers(stage, base=stage.answer(stage.inputs))[0]
    assert (lever.kind, lever.p5_days, lever.p50_days) == ("cut_spending", 12, 12)
    assert lever.runway.p50_days == 112


def test_income_of_the_cut_drivers_is_not_cut():
    stage = by_hand(pool=flat(-1_000.0), vendors=flat(+200.0))
    lever = next(lever for lever in best_levers(stage, base=stage.answer(stage.inputs)))
    assert lever.runway.p50_days == 143  # 100,000 / (900 - 200)


def test_a_week_s_collection_brings_an_invoice_that_came_too_late():
    owed = DatedLump("r", day=150.0, amount=10_000.0, probability=1.0, delay_exp_days=12.0)
    stage = by_hand(payroll=flat(-1_000.0), receivables=Contribution(dated_lumps=(owed,)))
    levers = {lever.kind: lever for lever in best_levers(stage, base=stage.answer(stage.inputs))}
    assert levers["collect_invoices"].p50_days == 10


def test_the_three_best_are_of_three_kinds_and_in_order():
    stage = stage_of(history(BUSY, as_of=AS_OF, cash="150000", plan=PLAN))
    base = stage.answer(stage.inputs)
    levers = best_levers(stage, base=base)
    assert len({lever.kind for lever in levers}) == len(levers) == 3
    gains = [(lever.p5_days, lever.p50_days, lever.mean_days) for lever in levers]
    assert gains == sorted(gains, reverse=True)
    assert gains[0][0] > 0
    assert all(lever.runway.p5_days - base.runway.p5_days == lever.p5_days for lever in levers)


@pytest.mark.parametrize("kind", sorted(LEVERS))
def test_each_lever_lengthens_the_runway_of_a_company_that_has_what_it_moves(kind):
    stage = stage_of(history(BUSY, as_of=AS_OF, cash="90000", plan=PLAN))
    pulled = LEVERS[kind](stage)
    assert pulled is not None, kind
    label, inputs = pulled
    assert label
    base, after = stage.runway(stage.inputs), stage.runway(inputs)
    assert (after.p5_days, after.p50_days, after.p95_days) != (base.p5_days, base.p50_days, base.p95_days)
    assert after.p5_days + after.p50_days + after.p95_days > base.p5_days + base.p50_days + base.p95_days


def test_a_tranche_is_named_by_its_milestone():
    label, _ = LEVERS["punctual_tranche"](stage_of(history(BUSY, as_of=AS_OF, cash="90000", plan=PLAN)))
    assert label == "Get the tranche “Series A” on its day"


def test_what_customers_pay_ahead_buys_no_free_cash():
    stage = stage_of(history(BUSY, as_of=AS_OF, cash="250000", plan=PLAN), basis="free")
    assert LEVERS["sell_annual_plans"](stage) is None


def test_a_company_without_anything_to_move_has_no_such_lever():
    stage = by_hand(fx=Contribution(shock_variance=1.0))
    stage = replace(
        stage, setting=replace(stage.setting, company=replace(stage.setting.company, pools=(None, None)))
    )
    assert best_levers(stage, base=stage.answer(stage.inputs)) == ()


def test_a_change_that_does_not_reach_past_a_cliff_is_told_by_the_average():
    """In nine of ten futures a fine ends it on day 100, whatever is saved; in the tenth cash lasts longer."""
    fine = DatedLump("fine", day=100.0, amount=-1e6, probability=0.9)
    stage = by_hand(cash="150000", payroll=Contribution(dated_lumps=(fine,)), pool=flat(-1_000.0))
    (lever,) = best_levers(stage, base=stage.answer(stage.inputs))
    assert (lever.kind, lever.p5_days, lever.p50_days) == ("cut_spending", 0, 0)
    assert lever.mean_days == pytest.approx(1.7, abs=0.1)
