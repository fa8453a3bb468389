import subprocess
import sys
import threading
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from forecasting.kernel.inputs import CloudUsage, DatedLump, Factor, LumpStream, Tranche
from forecasting.kernel.simulate import simulate
from forecasting.kernel.soundness import NonFinitePaths, UnsoundInputs
from forecasting.kernel.tranche_cases import tranche_cases
from tests.forecasting.kernel.samples import company, shocks

TRANCHE = Tranche("A", day=50, amount=1_000_000, probability=0.6, delay_mean_days=15.0, delay_sd_days=8.0)


def lively(**terms):
    """A company with every kind of uncertainty."""
    return company(
        opening_balance=1_000_000,
        factors=(Factor("pool", np.full(365, -5_000.0), lvl=0.1, gsd=0.01, rw=0.04),),
        shock_sd_per_day=np.full(365, 2_000.0),
        persistent_sd=np.full(365, 200.0),
        lump_streams=(LumpStream("lumps", 5.5, 400.0, np.array([-20_000.0, -45_000.0]), size_log_sd=0.25),),
        tranches=(TRANCHE,),
        **terms,
    )


def test_the_same_inputs_give_the_same_bits():
    first, second = simulate(lively(), shocks()), simulate(lively(), shocks())
    np.testing.assert_array_equal(first.runway_days, second.runway_days)
    np.testing.assert_array_equal(first.bands.p50, second.bands.p50)
    assert first.burn == second.burn


def test_threads_that_simulate_at_once_do_not_disturb_each_other():
    alone = simulate(lively(), shocks())
    found = []
    threads = [threading.Thread(target=lambda: found.append(simulate(lively(), shocks()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for outcome in found:
        np.testing.assert_array_equal(outcome.runway_days, alone.runway_days)
        np.testing.assert_array_equal(outcome.bands.p5, alone.bands.p5)


def test_asking_for_bands_does_not_change_the_runway():
    np.testing.assert_array_equal(
        simulate(lively(), shocks()).runway_days, simulate(lively(), shocks(), with_bands=False).runway_days
    )


def test_a_company_whose_name_for_a_new_hire_is_added_moves_only_by_the_hire():
    hire = Factor("hire 1", np.where(np.arange(365) > 300, -1e-6, 0.0), lvl=0.12)
    before, after = lively(), lively()
    after = replace(after, factors=(*after.factors, hire))
    moved = simulate(before, shocks()).runway_days - simulate(after, shocks()).runway_days
    assert np.count_nonzero(moved) <= 2  # a hire of nothing moves nothing but the rounding of a day


def test_quantiles_ascend_and_p5_p50_p95_are_among_them():
    outcome = simulate(lively(), shocks())
    assert (np.diff(outcome.quantile_days) >= 0).all()
    for percent, quantile in ((5, outcome.p5), (50, outcome.p50), (95, outcome.p95)):
        assert quantile.days == min(outcome.quantile_days[percent - 1], 365)
    assert outcome.paths == 10_000


def test_the_probability_of_zero_by_a_day_is_the_share_of_paths():
    outcome = simulate(lively(), shocks())
    assert outcome.probability_of_zero_by(day=180) == np.mean(outcome.runway_days <= 180)
    with pytest.raises(ValueError, match="day"):
        outcome.probability_of_zero_by(day=366)


def test_a_profitable_company_is_not_within_the_horizon():
    outcome = simulate(company(opening_balance=1_000, burn_per_day=-50.0), shocks(paths=100))
    assert (outcome.runway_days == 366).all()
    assert outcome.p50.beyond_horizon
    assert outcome.p50.days == 365
    assert (outcome.quantile_days == 366).all()
    assert not outcome.determined


@pytest.mark.parametrize("opening_balance", [0.0, -1.0, -5e9])
def test_a_company_with_nothing_left_has_a_runway_of_one_day(opening_balance):
    outcome = simulate(company(opening_balance=opening_balance, burn_per_day=-50.0), shocks(paths=100))
    assert (outcome.runway_days == 1).all()


def test_a_company_without_any_flow_never_runs_out():
    assert (simulate(company(opening_balance=5.0), shocks(paths=100)).runway_days == 366).all()


def test_the_first_zero_counts_even_when_money_comes_in_later():
    """Down to zero on day 10, rescued on day 12: the runway is 10."""
    rescue = DatedLump("rescue", 12, 1e6, probability=1.0)
    inputs = company(opening_balance=1_000, burn_per_day=100.0, dated_lumps=(rescue,))
    assert (simulate(inputs, shocks(paths=100)).runway_days == 10).all()


def test_money_that_comes_in_on_the_day_itself_counts():
    rescue = DatedLump("rescue", 10, 500.0, probability=1.0)
    inputs = company(opening_balance=1_000, burn_per_day=100.0, dated_lumps=(rescue,))
    assert (simulate(inputs, shocks(paths=100)).runway_days == 15).all()


@pytest.mark.parametrize("as_of", [date(2024, 2, 28), date(2024, 2, 29), date(2025, 12, 31), date(2025, 4, 30)])
@pytest.mark.parametrize("horizon_days", [1, 365, 730])
def test_the_calendar_does_not_move_a_flat_burn(as_of, horizon_days):
    inputs = company(opening_balance=25_000, burn_per_day=100.0, as_of=as_of, horizon_days=horizon_days)
    expected = 250 if horizon_days >= 250 else horizon_days + 1
    runway = simulate(inputs, shocks(paths=50, horizon_days=horizon_days)).runway_days
    assert (runway == expected).all()


def test_shocks_drawn_for_a_longer_horizon_serve_a_shorter_one():
    inputs = company(opening_balance=500_000, burn_per_day=5_000.0, shock_sd_per_day=np.full(365, 3_000.0))
    np.testing.assert_array_equal(
        simulate(inputs, shocks(paths=200, horizon_days=730)).runway_days,
        simulate(inputs, shocks(paths=200, horizon_days=365)).runway_days,
    )


@pytest.mark.parametrize("paths", [1, 2, 99, 2_501, 10_001])
def test_any_number_of_paths_will_do(paths):
    outcome = simulate(lively(), shocks(paths=paths))
    assert outcome.paths == paths
    assert outcome.bands.p50.shape == (365,)
    assert 60 <= outcome.p50.days <= 366


def decided(inputs, *, name, received):
    """The same company once this tranche is certain to come, or never comes."""
    if received:
        tranches = tuple(replace(t, probability=1.0) if t.name == name else t for t in inputs.tranches)
    else:
        tranches = tuple(t for t in inputs.tranches if t.name != name)
    return replace(inputs, tranches=tranches)


def test_received_and_never_received_bracket_the_tranche():
    inputs, drawn = lively(), shocks()
    outcome = simulate(inputs, drawn, turned=["A"])
    received, never = tranche_cases(inputs, drawn, outcome=outcome, name="A")
    assert never.p50.days < outcome.p50.days < received.p50.days
    assert (never.runway_days <= received.runway_days).all()
    with pytest.raises(KeyError):
        tranche_cases(inputs, drawn, outcome=outcome, name="B")


@pytest.mark.parametrize("probability", [0.0, 0.03, 0.6, 1.0])
@pytest.mark.parametrize("day", [-20, 50, 200, 400])
def test_one_simulation_decides_a_tranche_both_ways_as_two_would(probability, day):
    tranche = replace(TRANCHE, day=day, probability=probability)
    other = replace(TRANCHE, name="B", day=120, amount=200_000)
    inputs, drawn = replace(lively(), tranches=(tranche, other)), shocks()
    cases = tranche_cases(inputs, drawn, outcome=simulate(inputs, drawn, turned=["A"]), name="A")
    for case, received in zip(cases, (True, False), strict=True):
        alone = simulate(decided(inputs, name="A", received=received), drawn, with_bands=False)
        np.testing.assert_array_equal(case.runway_days, alone.runway_days)
        np.testing.assert_array_equal(case.quantile_days, alone.quantile_days)


def test_amounts_that_overflow_are_refused_loudly():
    flood = company(opening_balance=1e30, factors=(Factor("f", np.full(365, 1e38), lvl=0.5, rw=0.5),))
    with pytest.raises(NonFinitePaths), np.errstate(over="ignore", invalid="ignore"):
        simulate(flood, shocks(paths=500))


NAN = np.full(365, np.nan)
GOOD = np.zeros(365)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"opening_balance": float("nan")}, "opening_balance: must be finite"),
        ({"horizon_days": 0}, "horizon_days: must be 1 to 3660, is 0"),
        ({"fixed": NAN}, "fixed: must be finite"),
        ({"fixed": np.zeros(3)}, "fixed: must have one value for each of 365 days"),
        ({"shock_sd_per_day": GOOD - 1}, "shock_sd_per_day: must be at least 0"),
        ({"factors": (Factor("f", NAN),)}, "factors[0].daily: must be finite"),
        ({"factors": (Factor("f", GOOD, rw=-0.1),)}, "factors[0].rw: must be at least 0"),
        ({"factors": (Factor("f", GOOD), Factor("f", GOOD))}, "factors: the name 'f' stands 2 times"),
        ({"lump_streams": (LumpStream("l", 0.0, 9.0, GOOD),)}, "lump_streams[0].rate_shape: must be above 0"),
        ({"lump_streams": (LumpStream("l", 1.0, 9.0, GOOD[:0]),)}, "lump_streams[0].sizes"),
        ({"lump_streams": (LumpStream("l", 9e5, 9.0, GOOD),)}, "lump_streams 'l': over 500 lumps on one path"),
        (
            {"dated_lumps": (DatedLump("d", 5, 1.0, probability=1.5),)},
            "dated_lumps[0].probability: must be at most 1",
        ),
        ({"cloud": (CloudUsage(Factor("aws", GOOD), 5, payable=1.2),)}, "cloud[0].payable: must be at most 1"),
        ({"tranches": (replace(TRANCHE, delay_mean_days=0.0),)}, "tranches[0].delay_mean_days: must be positive"),
        ({"tranches": (replace(TRANCHE, amount=float("inf")),)}, "tranches[0].amount: must be finite"),
    ],
)
def test_unsound_inputs_are_refused_by_field(changes, message):
    inputs = replace(company(opening_balance=100.0), **changes)
    with pytest.raises(UnsoundInputs) as refusal:
        simulate(inputs, shocks(paths=10))
    assert message in str(refusal.value)


def test_every_problem_is_named_at_once():
    inputs = replace(company(opening_balance=float("inf")), fixed=NAN)
    with pytest.raises(UnsoundInputs, match=r"opening_balance.*; fixed"):
        simulate(inputs, shocks(paths=10))


def test_a_horizon_beyond_the_shocks_is_refused():
    with pytest.raises(UnsoundInputs, match="shocks were drawn for 30"):
        simulate(company(opening_balance=1.0), shocks(paths=10, horizon_days=30))


def test_the_kernel_lives_in_a_bare_interpreter():
    """Neither Django nor anything of the application is imported."""
    program = (
        "import sys; import forecasting.kernel.simulate, forecasting.kernel.scoring, forecasting.kernel.reference;"
        "heavy = {'django', 'ninja', 'ledger', 'capstack', 'redis'} & {m.split('.')[0] for m in sys.modules};"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "."})
