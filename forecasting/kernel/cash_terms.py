"""The terms of the balance that are the same on every path, ready to be multiplied with what differs.

Within a month step a balance is linear in a few rows of numbers per path (`rows.py`):

    B_t = B_start + sum_r (sum of daily[r] up to t) row_r + noise_t + arrivals_t
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.arrivals import ArrivalLaw
from forecasting.kernel.calendar import WEEKS_PER_STEP, MonthSteps, month_steps
from forecasting.kernel.cloud import CloudMonths, cloud_months
from forecasting.kernel.inputs import Factor, ForecastInputs
from forecasting.kernel.levels import SHOCK_ROWS_BEFORE_STEPS, is_certain, level_loadings
from forecasting.kernel.noise import MonthlyNoise, monthly_noise
from forecasting.kernel.poisson import PoissonArrivals, draw_poisson
from forecasting.kernel.resolution import smallest_balance
from forecasting.kernel.shocks import Shocks
from forecasting.kernel.single_payments import draw_dated_lump, draw_tranche


@dataclass(frozen=True, slots=True, eq=False)
class UncertainLevel:
    """Level of one factor: exponents = loadings @ shocks. Both None for a level that is one on every path.

    Attributes:
        key: what decides it, the factor's name and loadings.
    """

    key: tuple[str, bytes]
    loadings: NDArray[np.float32] | None
    shocks: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, eq=False)
class CashTerms:
    """One company's simulation, before any path.

    Attributes:
        levels: of the uncertain factors; the first rows of a block.
        cloud_levels: of each provider's usage.
        persistent: float32 [paths], or None.
        daily: float32 [rows, horizon], flow of each day per unit of each row. The last row is one: certain flows.
        month_flows: float32 [horizon, rows + 1], running sum of daily since the start of the month step; the last
            column is one: the balance that the month opens with.
        screens: float32 [steps, 1 + weeks, rows]. Row 0 is the whole step, without certain flows; row w the least
            that the running sum is in week w, so that its product with rows >= 0 is a bound from below.
        fixed_totals: float64 [steps], certain flows of each step; added up in float64.
        noise: daily shocks, month by month.
        streams, payments, funding: laws of single amounts: lumps, receivables, tranches. Funding is kept apart
            because it is not burn, streams because other simulations have the same.
        zero: balances at or below it count as zero.
    """

    inputs: ForecastInputs
    steps: MonthSteps
    shocks: Shocks
    levels: tuple[UncertainLevel, ...]
    cloud_levels: tuple[UncertainLevel, ...]
    clouds: tuple[CloudMonths, ...]
    persistent: NDArray[np.float32] | None
    daily: NDArray[np.float32]
    month_flows: NDArray[np.float32]
    screens: NDArray[np.float32]
    fixed_totals: NDArray[np.float64]
    noise: MonthlyNoise
    streams: tuple[PoissonArrivals, ...]
    payments: tuple[ArrivalLaw, ...]
    funding: tuple[ArrivalLaw, ...]
    zero: float

    @property
    def rows(self) -> int:
        return self.daily.shape[0]


def cash_terms(inputs: ForecastInputs, shocks: Shocks) -> CashTerms:
    """Lay out one simulation: coefficients per day and month, and the shocks each term needs."""
    horizon = inputs.horizon_days
    steps = month_steps(as_of_day=inputs.as_of_day, horizon_days=horizon)
    uncertain = [factor for factor in inputs.factors if not is_certain(factor)]
    certain = [factor.daily for factor in inputs.factors if is_certain(factor)]
    clouds = tuple(cloud_months(cloud=cloud, steps=steps) for cloud in inputs.cloud)
    levels = _levels([*uncertain, *(cloud.usage for cloud in inputs.cloud)], steps=steps, shocks=shocks)
    has_persistent = bool(inputs.persistent_sd.any())

    flows = [factor.daily for factor in uncertain]
    if has_persistent:
        flows += [inputs.persistent_sd, -inputs.persistent_sd]
    flows += [_invoice_days(cloud, steps=steps, horizon_days=horizon) for cloud in clouds]
    flows.append(np.sum([inputs.fixed, *certain], axis=0))
    daily = np.stack(flows)
    month_flows = _since_step_start(daily, steps)
    streams = (draw_poisson(stream=s, shocks=shocks, steps=steps) for s in inputs.lump_streams)
    return CashTerms(
        inputs=inputs,
        steps=steps,
        shocks=shocks,
        levels=levels[: len(uncertain)],
        cloud_levels=levels[len(uncertain) :],
        clouds=clouds,
        persistent=shocks.normal(kind="persistent", name="") if has_persistent else None,
        daily=daily.astype(np.float32),
        month_flows=np.column_stack([month_flows.T, np.ones(horizon)]).astype(np.float32),
        screens=_screens(month_flows, steps),
        fixed_totals=np.where(steps.stops > steps.starts, month_flows[-1, steps.stops - 1], 0.0),
        noise=monthly_noise(sd_per_day=inputs.shock_sd_per_day, steps=steps, shocks=shocks),
        streams=tuple(stream for stream in streams if stream is not None),
        payments=tuple(draw_dated_lump(lump=lump, shocks=shocks, steps=steps) for lump in inputs.dated_lumps),
        funding=_funding(inputs, shocks, steps=steps),
        zero=smallest_balance(inputs),
    )


def with_tranche_turned(terms: CashTerms, *, name: str) -> CashTerms:
    """The same simulation, but this tranche comes where it does not, and does not where it does.

    Raises:
        KeyError: no tranche has this name.
    """
    if name not in {tranche.name for tranche in terms.inputs.tranches}:
        raise KeyError(name)
    return replace(terms, funding=_funding(terms.inputs, terms.shocks, steps=terms.steps, turned=name))


def _funding(
    inputs: ForecastInputs, shocks: Shocks, *, steps: MonthSteps, turned: str | None = None
) -> tuple[ArrivalLaw, ...]:
    return tuple(
        draw_tranche(tranche=t, shocks=shocks, steps=steps, turned=t.name == turned) for t in inputs.tranches
    )


def _levels(factors: Sequence[Factor], *, steps: MonthSteps, shocks: Shocks) -> tuple[UncertainLevel, ...]:
    loadings = level_loadings(factors=factors, months_ahead=steps.months_ahead)
    rows = SHOCK_ROWS_BEFORE_STEPS + steps.count
    return tuple(
        UncertainLevel(key=("", b""), loadings=None, shocks=None)
        if is_certain(factor)
        else UncertainLevel(
            key=(factor.name, loadings[n].tobytes()),
            loadings=loadings[n],
            shocks=shocks.level_shocks(factor.name)[:rows],
        )
        for n, factor in enumerate(factors)
    )


def _invoice_days(cloud: CloudMonths, *, steps: MonthSteps, horizon_days: int) -> NDArray[np.float64]:
    """-1 on each day on which the month before is paid."""
    days = np.zeros(horizon_days)
    indexes = cloud.invoice_indexes[1:]
    days[indexes[indexes < steps.stops[1:]]] = -1.0
    return days


def _since_step_start(flows: NDArray[np.float64], steps: MonthSteps) -> NDArray[np.float64]:
    """Running sums of flows [rows, horizon] that begin anew with each month step."""
    running = np.zeros((flows.shape[0], flows.shape[1] + 1))
    np.cumsum(flows, axis=1, out=running[:, 1:])
    return np.asarray(running[:, 1:] - running[:, steps.starts[steps.step_of_day]])


def _screens(month_flows: NDArray[np.float64], steps: MonthSteps) -> NDArray[np.float32]:
    screens = np.zeros((steps.count, 1 + WEEKS_PER_STEP, month_flows.shape[0]), np.float32)
    some = steps.stops > steps.starts
    screens[some, 0] = month_flows[:, steps.stops[some] - 1].T
    screens[:, 0, -1] = 0.0
    weeks = np.minimum.reduceat(month_flows, steps.week_starts, axis=1).T
    screens[some, 1:] = weeks[steps.weeks_of_step[some]]
    return screens
