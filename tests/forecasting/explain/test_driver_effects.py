"""What a driver does to the runway, against arithmetic."""

import math

import numpy as np
import pytest

from forecasting.drivers.contribution import Contribution
from forecasting.drivers.registry import all_drivers
from forecasting.explain.driver_effects import driver_effects
from forecasting.explain.expectation import at_expectation
from forecasting.kernel.calendar import month_steps
from forecasting.kernel.inputs import DatedLump, Factor, LumpStream, Tranche
from forecasting.kernel.path_balances import path_balances
from tests.forecasting.explain.stages import AS_OF, HORIZON, PATHS, by_hand, flat, stage_of
from tests.forecasting.journal import every, history, monthly


@pytest.mark.parametrize(("cash", "burn"), [(100_000, 1_000), (77_777, 333), (250_000, 1_190)])
def test_without_a_tenth_of_the_cost_cash_lasts_as_long_as_division_says(cash, burn):
    stage = by_hand(cash=str(cash), pool=flat(-0.9 * burn), vendors=flat(-0.1 * burn))
    base = stage.answer(stage.inputs)
    effects = {effect.name: effect for effect in driver_effects(stage, base=base)}
    assert base.runway.p5_days == base.runway.p50_days == math.ceil(cash / burn)
    without = math.ceil(round(cash / (0.9 * burn), 6))
    assert effects["vendors"].p5_days == effects["vendors"].p50_days == math.ceil(cash / burn) - without
    assert effects["vendors"].doubt_p5_days == 0
    assert not effects["vendors"].beyond_horizon


def test_a_certain_tranche_adds_the_days_that_it_pays_for():
    tranche = Tranche("t", day=50, amount=20_000.0, probability=1.0, delay_mean_days=0.0, delay_sd_days=0.0)
    stage = by_hand(pool=flat(-1_000.0), tranches=Contribution(tranches=(tranche,)))
    base = stage.answer(stage.inputs)
    assert base.runway.p50_days == 120
    pool, tranches = driver_effects(stage, base=base)
    assert (pool.name, pool.beyond_horizon) == ("pool", True)
    assert pool.p5_days == 120 - HORIZON
    assert pool.is_least == (True, True, True)
    assert tranches.is_least == (False, False, False)
    assert (tranches.name, tranches.p5_days, tranches.p50_days) == ("tranches", 20, 20)


def test_the_doubt_of_a_tranche_is_what_its_expectation_would_buy():
    """Half of 40,000 for certain is 20 days; in the worse half of all futures it buys nothing."""
    tranche = Tranche("t", day=50, amount=40_000.0, probability=0.5, delay_mean_days=0.0, delay_sd_days=0.0)
    stage = by_hand(pool=flat(-1_000.0), tranches=Contribution(tranches=(tranche,)))
    base = stage.answer(stage.inputs)
    assert base.runway.p5_days == 100
    effect = next(effect for effect in driver_effects(stage, base=base) if effect.name == "tranches")
    assert (effect.p5_days, effect.doubt_p5_days, effect.doubt_width_days) == (0, -20, 40)
    assert effect.mean_days == 20.0


def test_an_effect_on_p5_is_exact_though_the_middle_lies_beyond_the_horizon_with_and_without_it():
    """Half of 1,000,000 for certain: in the worse half of all futures 100,000 are spent at 1,000 a day."""
    tranche = Tranche("t", day=50, amount=1_000_000.0, probability=0.6, delay_mean_days=0.0, delay_sd_days=0.0)
    stage = by_hand(pool=flat(-800.0), vendors=flat(-200.0), tranches=Contribution(tranches=(tranche,)))
    base = stage.answer(stage.inputs)
    assert (base.runway.p5_days, base.runway.beyond_horizon) == (100, (False, True, True))
    vendors = next(effect for effect in driver_effects(stage, base=base) if effect.name == "vendors")
    assert (vendors.p5_days, vendors.is_least) == (-25, (False, False, False))
    assert (vendors.beyond_horizon, vendors.without.beyond_horizon) == (True, (False, True, True))


def test_the_largest_effect_on_p5_comes_first():
    stage = by_hand(pool=flat(-300.0), vendors=flat(-650.0), sales=flat(50.0), leak=flat(-100.0))
    names = [effect.name for effect in driver_effects(stage, base=stage.answer(stage.inputs))]
    assert names == ["vendors", "pool", "leak", "sales"]


def test_an_expectation_brings_the_same_cash_on_average_and_no_doubt():
    steps = month_steps(as_of_day=20_000, horizon_days=HORIZON)
    uncertain = Contribution(
        factors=(Factor("f", np.full(HORIZON, -100.0), lvl=0.2, g=0.01, gsd=0.01, rw=0.03),),
        shock_variance=900.0,
        persistent_sd=12.0,
        lump_streams=(
            LumpStream("s", rate_shape=6.5, rate_days=400.0, sizes=np.array([-900.0, -300.0]), size_log_sd=0.3),
        ),
        dated_lumps=(DatedLump("d", day=30, amount=5_000.0, probability=0.8, delay_exp_days=10.0),),
        tranches=(Tranche("t", 60, 50_000.0, 0.6, delay_mean_days=12.0, delay_sd_days=6.0),),
    )
    calm = at_expectation(uncertain, steps=steps)
    assert calm.shock_variance == 0.0
    assert calm.persistent_sd == 0.0
    assert (calm.lump_streams, calm.dated_lumps, calm.tranches) == ((), (), ())
    mean = by_hand(pool=uncertain)
    same = by_hand(pool=calm)
    at_end = [float(np.mean(_closing(stage))) for stage in (mean, same)]
    assert at_end[0] == pytest.approx(at_end[1], abs=2_500.0)
    assert np.ptp(_closing(same)) == pytest.approx(0.0, abs=1.0)


def _closing(stage) -> np.ndarray:
    return path_balances(stage.inputs, stage.shocks, paths=PATHS).balances[-1]


def test_every_driver_of_a_full_company_has_an_effect():
    text = (
        monthly(start="2024-01-05", months=18, line="-3000 software Tools Inc")
        + monthly(start="2024-01-28", months=18, line="-30000 payroll Gusto")
        + every(1, start="2024-01-01", until=AS_OF, line="+700 revenue Stripe")
        + every(3, start="2024-01-01", until=AS_OF, line="-400 card Cafe")
    )
    stage = stage_of(history(text, as_of=AS_OF, cash="60000"))
    effects = driver_effects(stage, base=stage.answer(stage.inputs))
    assert {effect.name for effect in effects} == {part.driver.name for part in stage.parts}
    assert {effect.name for effect in effects} <= {driver.name for driver in all_drivers()}
    by_name = {effect.name: effect for effect in effects}
    assert by_name["payroll"].p5_days < 0 < by_name["sales"].p5_days
