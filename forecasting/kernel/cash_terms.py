"""The terms of the balance that are the same on every path, ready to be walked with what differs (`walk.py`).

    B_t = B_start + sum_r (sum of per_row[r] up to t) row_r + noise_t + single amounts_t

where the rows of a month step are the levels of the uncertain factors and the invoices of the cloud.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.calendar import MonthSteps, month_steps
from forecasting.kernel.cloud import CloudMonths, cloud_months
from forecasting.kernel.inputs import Factor, ForecastInputs
from forecasting.kernel.levels import damped_months, is_certain
from forecasting.kernel.poisson import PoissonLumps, draw_poisson
from forecasting.kernel.resolution import smallest_balance
from forecasting.kernel.shocks import Shocks
from forecasting.kernel.single_payments import DatedPayment, TrancheArrival, draw_dated_lump, draw_tranche
from forecasting.kernel.walk_terms import DayTerms, Floats, GrantLaw, LevelLaw, Turned


@dataclass(frozen=True, slots=True, eq=False)
class UncertainLevel:
    """Level of one factor and the shocks that move it."""

    law: LevelLaw
    shocks: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CashTerms:
    """One company's simulation, before any path.

    Attributes:
        levels: of the uncertain factors, then of each provider's usage; None where it is one on every path.
        grants: of each provider.
        days: what each row moves on each day.
        persistent: float32 [paths].
        streams, payments, funding: single amounts: lumps, receivables, tranches. Funding is kept apart because it
            is not burn.
        zero: balances at or below it count as zero.
    """

    inputs: ForecastInputs
    steps: MonthSteps
    shocks: Shocks
    levels: tuple[UncertainLevel | None, ...]
    grants: tuple[GrantLaw, ...]
    days: DayTerms
    persistent: Floats
    streams: tuple[PoissonLumps, ...]
    payments: tuple[DatedPayment, ...]
    funding: tuple[TrancheArrival, ...]
    zero: float

    def turned(self, names: Sequence[str]) -> Turned:
        """The other world of each tranche named.

        Raises:
            KeyError: no tranche has such a name.
        """
        by_name = {
            tranche.name: arrival for tranche, arrival in zip(self.inputs.tranches, self.funding, strict=True)
        }
        chosen = [by_name[name] for name in names]
        shape = (len(chosen), self.shocks.paths)
        worlds = Turned(day_indexes=np.empty(shape, np.int32), amounts=np.empty(shape, np.float32))
        for world, arrival in enumerate(chosen):
            amount = np.float32(arrival.amount)
            worlds.day_indexes[world] = arrival.if_it_comes
            worlds.amounts[world] = np.where(arrival.comes, -amount, amount)
        return worlds


def cash_terms(inputs: ForecastInputs, shocks: Shocks) -> CashTerms:
    """Lay out one simulation: what moves on each day, and the shocks each term needs."""
    steps = month_steps(as_of_day=inputs.as_of_day, horizon_days=inputs.horizon_days)
    uncertain = [factor for factor in inputs.factors if not is_certain(factor)]
    clouds = tuple(cloud_months(cloud=cloud, steps=steps) for cloud in inputs.cloud)
    streams = (draw_poisson(stream=s, shocks=shocks, steps=steps) for s in inputs.lump_streams)
    return CashTerms(
        inputs=inputs,
        steps=steps,
        shocks=shocks,
        levels=_levels([*uncertain, *(cloud.usage for cloud in inputs.cloud)], steps=steps, shocks=shocks),
        grants=tuple(cloud.grants for cloud in clouds),
        days=_day_terms(inputs, uncertain, clouds, steps=steps),
        persistent=shocks.normal(kind="persistent", name=""),
        streams=tuple(stream for stream in streams if stream is not None),
        payments=tuple(draw_dated_lump(lump=lump, shocks=shocks, steps=steps) for lump in inputs.dated_lumps),
        funding=tuple(draw_tranche(tranche=t, shocks=shocks, steps=steps) for t in inputs.tranches),
        zero=smallest_balance(inputs),
    )


def _levels(factors: Sequence[Factor], *, steps: MonthSteps, shocks: Shocks) -> tuple[UncertainLevel | None, ...]:
    damped = damped_months(steps.months_ahead)
    walk_step = np.sqrt(np.diff(steps.months_ahead, prepend=0.0))
    return tuple(
        None
        if is_certain(factor)
        else UncertainLevel(
            LevelLaw(
                lvl=float(factor.lvl),
                g=float(factor.g),
                gsd=float(factor.gsd),
                rw=float(factor.rw),
                months_ahead=steps.months_ahead,
                damped=damped,
                walk_step=walk_step,
            ),
            shocks.level_shocks(factor.name),
        )
        for factor in factors
    )


def _day_terms(
    inputs: ForecastInputs, uncertain: Sequence[Factor], clouds: Sequence[CloudMonths], *, steps: MonthSteps
) -> DayTerms:
    horizon = inputs.horizon_days
    certain = [factor.daily for factor in inputs.factors if is_certain(factor)]
    flows = [factor.daily for factor in uncertain]
    flows += [_invoice_days(cloud, steps=steps, horizon_days=horizon) for cloud in clouds]
    by_day = np.array(flows, np.float32).reshape(-1, horizon).T
    days, rows = np.nonzero(by_day)
    fixed = _since_step_start(np.sum([inputs.fixed, *certain], axis=0), steps)
    return DayTerms(
        starts=steps.starts,
        stops=steps.stops,
        first_row=np.searchsorted(days, np.arange(horizon + 1)),
        # `nonzero` gives every second number of something larger, except where there is only one.
        rows=np.ascontiguousarray(rows),
        per_row=by_day[days, rows],
        fixed=fixed,
        fixed_totals=np.where(steps.stops > steps.starts, fixed[steps.stops - 1], 0.0),
        noise_sd=inputs.shock_sd_per_day.astype(np.float32),
        persistent_sd=inputs.persistent_sd.astype(np.float32),
    )


def _invoice_days(cloud: CloudMonths, *, steps: MonthSteps, horizon_days: int) -> NDArray[np.float64]:
    """-1 on each day on which the month before is paid."""
    days = np.zeros(horizon_days)
    indexes = cloud.invoice_indexes[1:]
    days[indexes[indexes < steps.stops[1:]]] = -1.0
    return days


def _since_step_start(flows: NDArray[np.float64], steps: MonthSteps) -> NDArray[np.float64]:
    """Running sums of flows [horizon] that begin anew with each month step."""
    running = np.concatenate([[0.0], np.cumsum(flows)])
    return np.asarray(running[1:] - running[steps.starts[steps.step_of_day]])
