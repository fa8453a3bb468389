"""What theory says exactly, the kernel must say too."""

from datetime import date

import numpy as np
import pytest
from scipy.stats import gamma, nbinom, norm

from forecasting.kernel.burn import burn_of
from forecasting.kernel.calendar import month_steps
from forecasting.kernel.inputs import CloudUsage, CreditGrant, DatedLump, Factor, LumpStream, Tranche
from forecasting.kernel.levels import expected_levels
from forecasting.kernel.path_balances import path_balances
from forecasting.kernel.poisson import draw_poisson, negative_binomial_cdf
from forecasting.kernel.simulate import simulate
from forecasting.kernel.single_payments import draw_dated_lump, draw_tranche
from tests.forecasting.kernel.samples import AS_OF, company, epoch_day, shocks

STEPS = month_steps(as_of_day=epoch_day(AS_OF), horizon_days=365)
FEW = {"paths": 100, "horizon_days": 365}


@pytest.mark.parametrize(
    ("opening_balance", "burn_per_day", "days"),
    [
        (1_000_000, 10_000, 100),
        (1_000.10, 100.01, 10),
        (0.05, 0.01, 5),
        (3_650_000_000.00, 10_000_000.00, 365),
        (2_400_000, 14_200, 170),  # 169.01: the 170th closing balance is the first at or below zero
        (10_000, 10_000, 1),
        (1, 1e9, 1),
    ],
)
def test_a_flat_burn_runs_out_on_the_day_that_division_gives(opening_balance, burn_per_day, days):
    outcome = simulate(company(opening_balance=opening_balance, burn_per_day=burn_per_day), shocks(**FEW))
    assert (outcome.runway_days == days).all()
    assert (outcome.p5.days, outcome.p50.days, outcome.p95.days) == (days, days, days)
    assert outcome.determined


def test_a_flat_burn_has_a_straight_line_for_its_bands():
    outcome = simulate(company(opening_balance=1_000_000, burn_per_day=10_000), shocks(**FEW))
    np.testing.assert_allclose(outcome.bands.p5, 1_000_000 - 10_000 * np.arange(1, 366), atol=1.0)
    np.testing.assert_allclose(outcome.bands.p95, outcome.bands.p5)
    assert outcome.burn.mean_per_day == pytest.approx(10_000)
    assert outcome.burn.std_per_day == pytest.approx(0.0, abs=1e-6)
    assert outcome.lowest.day == 365


def brownian_first_passage_cdf(*, days, distance, drift, sd):
    """P(T <= t) of a Brownian motion with drift towards a barrier: the inverse-Gaussian law."""
    root = sd * np.sqrt(days)
    return norm.cdf((drift * days - distance) / root) + np.exp(2 * drift * distance / sd**2) * norm.cdf(
        (-drift * days - distance) / root
    )


@pytest.mark.parametrize(("drift", "sd"), [(1.0, 2.0), (0.5, 4.0), (2.0, 3.0)])
def test_pure_noise_reaches_zero_by_the_inverse_gaussian_law(drift, sd):
    """Looking once a day misses dips between closings: the barrier moves by 0.5826 sd (Broadie, Glasserman and
    Kou), a little more for heavy tails, whose overshoot is larger."""
    opening = 100.0
    inputs = company(opening_balance=opening, burn_per_day=drift, shock_sd_per_day=np.full(365, sd))
    runway = simulate(inputs, shocks(), with_bands=False).runway_days
    days = np.arange(1, 366)
    law = brownian_first_passage_cdf(days=days, distance=opening + 0.5826 * sd, drift=drift, sd=sd)
    found = np.searchsorted(np.sort(runway), days, side="right") / runway.shape[0]
    assert np.abs(found - law).max() < 0.015


def test_lumps_come_as_often_and_as_large_as_their_rate_and_sizes_say():
    stream = LumpStream("lumps", rate_shape=4.5, rate_days=400.0, sizes=np.array([-100.0, -300.0]), first_day=15)
    drawn = draw_poisson(stream=stream, shocks=shocks(), steps=STEPS)
    exposed = 351
    mean = 4.5 / 400 * exposed
    assert drawn.counts.mean() == pytest.approx(mean, rel=0.002)
    assert drawn.counts.var() == pytest.approx(mean + 4.5 / 400**2 * exposed**2, rel=0.01)
    inputs = company(opening_balance=1e6, lump_streams=(stream,))
    balances = path_balances(inputs, shocks(), paths=10_000).balances
    moved = np.diff(balances, axis=0, prepend=np.float32(1e6))
    days = np.nonzero(moved)[0]
    assert days.min() == 14
    assert days.max() == 364
    assert days.mean() == pytest.approx((14 + 364) / 2, abs=1.5)
    per_path = balances[-1] - 1e6
    assert per_path.mean() == pytest.approx(-200 * mean, rel=0.005)
    # var of a compound sum: E[N] var(X) + var(N) E[X]^2
    assert per_path.var() == pytest.approx(mean * 100**2 + (mean + 4.5 / 400**2 * exposed**2) * 200**2, rel=0.03)


def test_a_gamma_rate_makes_counts_negative_binomial():
    cdf = negative_binomial_cdf(shape=2.5, rate_days=200, exposed_days=365)
    law = nbinom(2.5, 200 / 565)
    np.testing.assert_allclose(cdf, law.cdf(np.arange(cdf.shape[0])), atol=1e-12)
    assert cdf[-1] > 1 - 1e-6


def test_a_tranche_comes_as_often_as_stated_and_as_late():
    tranche = Tranche("A", day=60, amount=1.0, probability=0.8, delay_mean_days=18.0, delay_sd_days=10.0)
    days = draw_tranche(tranche=tranche, shocks=shocks(), steps=STEPS).day_indexes + 1
    came = days <= 365
    assert came.mean() == pytest.approx(0.8, abs=2e-4)
    delay = days[came] - 60
    assert delay.min() >= 0
    assert delay.mean() == pytest.approx(18.0, abs=0.15)
    assert delay.std() == pytest.approx(10.0, abs=0.2)


def test_an_overdue_tranche_waits_as_long_as_its_law_has_left():
    tranche = Tranche("A", day=-30, amount=1.0, probability=1.0, delay_mean_days=18.0, delay_sd_days=10.0)
    days = draw_tranche(tranche=tranche, shocks=shocks(), steps=STEPS).day_indexes + 1
    law = gamma((18 / 10) ** 2, scale=10**2 / 18)
    left = law.expect(lambda x: x, lb=30.5, conditional=True) - 30
    assert days.min() == 1
    assert days.mean() == pytest.approx(left, abs=0.2)


def test_a_tranche_years_overdue_still_gives_an_answer():
    tranche = Tranche("A", day=-2_000, amount=1.0, probability=1.0, delay_mean_days=18.0, delay_sd_days=10.0)
    days = draw_tranche(tranche=tranche, shocks=shocks(), steps=STEPS).day_indexes + 1
    assert days.min() == 1
    assert 4.0 < days.mean() < 8.0  # what a gamma has left in the end is exponential, with its scale


def test_a_receivable_waits_by_an_exponential_and_an_overdue_one_as_long_from_today():
    due, overdue = (
        draw_dated_lump(
            lump=DatedLump(name, day, 1.0, probability=0.9, delay_exp_days=12.0), shocks=shocks(), steps=STEPS
        ).day_indexes
        + 1
        for name, day in (("due", 20), ("overdue", -40))
    )
    assert (due <= 365).mean() == pytest.approx(0.9, abs=2e-4)
    assert due[due <= 365].mean() == pytest.approx(32.0, abs=0.2)
    assert overdue[overdue <= 365].mean() == pytest.approx(12.0, abs=0.2)


def test_a_renewal_is_centred_on_its_day():
    lump = DatedLump("renewal", 100, 1.0, probability=1.0, delay_sd_days=12.0)
    days = draw_dated_lump(lump=lump, shocks=shocks(), steps=STEPS).day_indexes + 1
    assert days.mean() == pytest.approx(100.0, abs=0.1)
    assert days.std() == pytest.approx(12.0, abs=0.1)


def test_credits_are_used_up_on_the_day_that_division_gives_and_invoices_follow_a_month_later():
    """As of 31 December: 100 a day of usage, 4,500 of credit. It lasts 45 days: all of January and 14 days of
    February. February's other 14 days, 1,400, are paid on 5 March, March's 3,100 on 5 April, and so on."""
    usage = CloudUsage(
        usage=Factor("aws", np.full(365, 100.0)),
        invoice_day_of_month=5,
        unbilled=250.0,  # December's, paid on 5 January
        grants=(CreditGrant(remaining=4_500.0, expires_day=200),),
    )
    inputs = company(opening_balance=100_000, as_of=date(2025, 12, 31), cloud=(usage,))
    balance = simulate(inputs, shocks(**FEW)).bands.p50
    paid = -np.diff(balance, prepend=100_000.0)
    fifth_of_january, fifth_of_march, fifth_of_april = 4, 31 + 28 + 4, 31 + 28 + 31 + 4
    days_with_payment = np.flatnonzero(paid > 1.0)[:3].tolist()
    assert days_with_payment == [fifth_of_january, fifth_of_march, fifth_of_april]
    np.testing.assert_allclose(paid[days_with_payment], [250.0, 1_400.0, 3_100.0], atol=0.05)


def test_a_credit_that_expires_unused_is_lost_from_the_next_day():
    """Expires on 10 January: ten days are covered, 21 days of January are paid on 5 February."""
    usage = CloudUsage(
        usage=Factor("aws", np.full(365, 100.0)),
        invoice_day_of_month=5,
        grants=(CreditGrant(remaining=1e6, expires_day=10),),
    )
    inputs = company(opening_balance=100_000, as_of=date(2025, 12, 31), cloud=(usage,))
    paid = -np.diff(simulate(inputs, shocks(**FEW)).bands.p50, prepend=100_000.0)
    assert np.flatnonzero(paid > 1.0)[0] == 31 + 4
    assert paid[31 + 4] == pytest.approx(2_100.0, abs=0.05)


def test_the_grant_that_expires_first_is_used_first():
    """300 until day 2 pays two days, then 150 pays one and a half: 27.5 of 31 days of January are left to pay."""
    usage = CloudUsage(
        usage=Factor("aws", np.full(365, 100.0)),
        invoice_day_of_month=5,
        grants=(CreditGrant(remaining=300.0, expires_day=2), CreditGrant(remaining=150.0, expires_day=300)),
    )
    inputs = company(opening_balance=100_000, as_of=date(2025, 12, 31), cloud=(usage,))
    paid = -np.diff(simulate(inputs, shocks(**FEW)).bands.p50, prepend=100_000.0)
    assert paid[31 + 4] == pytest.approx(2_750.0, abs=0.05)


def test_a_credit_that_pays_four_fifths_of_usage_lasts_longer_and_leaves_a_fifth_to_pay():
    """4,000 pays 80 a day: 50 days, all of January and 19 of February. January's fifth, 620, is paid on 5
    February; of February's 2,800 the credit pays 19 x 80 = 1,520."""
    usage = CloudUsage(
        usage=Factor("aws", np.full(365, 100.0)),
        invoice_day_of_month=5,
        grants=(CreditGrant(remaining=4_000.0, expires_day=200),),
        payable=0.8,
    )
    inputs = company(opening_balance=100_000, as_of=date(2025, 12, 31), cloud=(usage,))
    paid = -np.diff(simulate(inputs, shocks(**FEW)).bands.p50, prepend=100_000.0)
    assert paid[31 + 4] == pytest.approx(620.0, abs=0.05)
    assert paid[31 + 28 + 4] == pytest.approx(2_800.0 - 1_520.0, abs=0.05)
    assert paid[31 + 28 + 31 + 4] == pytest.approx(3_100.0, abs=0.05)


def test_the_mean_of_a_level_is_the_lognormal_one():
    factor = Factor("f", np.full(365, -1.0), lvl=0.2, g=0.01, gsd=0.01, rw=0.05)
    inputs = company(opening_balance=1e6, factors=(factor,))
    balances = path_balances(inputs, shocks(), paths=10_000).balances.mean(axis=1, dtype=float)
    spent_by_month = -np.diff(np.append(1e6, balances)[np.append(STEPS.starts, 365)])
    expected = expected_levels(factor=factor, months_ahead=STEPS.months_ahead)
    np.testing.assert_allclose(spent_by_month / (STEPS.stops - STEPS.starts), expected, rtol=0.01)


def test_a_level_known_only_roughly_has_the_spread_it_was_given():
    factor = Factor("f", np.full(365, -1.0), lvl=0.1)
    balances = simulate(company(opening_balance=1_000, factors=(factor,)), shocks()).bands
    spent = 1_000 - np.array([balances.p95[99], balances.p5[99]])
    np.testing.assert_allclose(np.log(spent / 100), norm.ppf([0.05, 0.95]) * 0.1, rtol=0.02)


def test_one_persistent_error_shifts_every_day_of_a_path_alike():
    inputs = company(opening_balance=1e6, burn_per_day=1_000, persistent_sd=np.full(365, 200.0))
    bands = simulate(inputs, shocks()).bands
    width = bands.p95 - bands.p5
    np.testing.assert_allclose(width / np.arange(1, 366), 200 * 2 * norm.ppf(0.95), rtol=0.02)


def test_the_spread_of_burn_is_the_daily_shocks():
    inputs = company(opening_balance=2.4e6, burn_per_day=14_200, shock_sd_per_day=np.full(365, 2_800.0))
    burn = simulate(inputs, shocks()).burn
    assert burn.mean_per_day == pytest.approx(14_200, rel=0.001)
    assert burn.std_per_day == pytest.approx(2_800, rel=0.02)


def test_funding_is_no_burn():
    tranche = Tranche("A", day=30, amount=5e6, probability=0.7, delay_mean_days=10.0, delay_sd_days=5.0)
    burn = simulate(company(opening_balance=1e6, burn_per_day=1_000, tranches=(tranche,)), shocks()).burn
    assert burn.mean_per_day == pytest.approx(1_000)
    assert burn.std_per_day == pytest.approx(0.0, abs=1.0)


def test_the_spread_of_burn_is_told_beyond_the_squares_of_float32():
    flows = np.array([[-1e20, -3e20], [-1e20, -3e20]], np.float32)
    assert burn_of(flows).std_per_day == pytest.approx(1e20, rel=1e-5)
    assert burn_of(flows / np.float32(1e18)).std_per_day == pytest.approx(100.0, rel=1e-5)
