"""The simulation said slowly: one path at a time, one day at a time, in float64.

`simulate.py` must say the same; a property test holds the two together. Nothing but the tests reads this file, and
it shares no arithmetic with the fast kernel: only its inputs, its random numbers and the model's constants.
"""

import math
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc
from scipy.stats import nbinom

from forecasting.kernel.inputs import CloudUsage, DatedLump, Factor, ForecastInputs, LumpStream, Tranche
from forecasting.kernel.levels import DAMPING_PER_MONTH, LARGEST_EXPONENT
from forecasting.kernel.shocks import Shocks

EPOCH = date(1970, 1, 1)


def reference_balances(inputs: ForecastInputs, shocks: Shocks) -> NDArray[np.float64]:
    """float64 [horizon, paths]: closing balance of every day on every path."""
    return np.array([_balances_of_path(inputs, shocks, path) for path in range(shocks.paths)]).T


def reference_runway_days(
    *, balances: NDArray[np.float64], opening_balance: float, zero: float
) -> NDArray[np.int64]:
    """int64 [paths]: first day at or below `zero`, horizon + 1 when there is none."""
    runway = []
    for path in range(balances.shape[1]):
        days = [day for day, balance in enumerate(balances[:, path], start=1) if balance <= zero]
        runway.append(1 if opening_balance <= zero else min(days, default=balances.shape[0] + 1))
    return np.array(runway)


def _balances_of_path(inputs: ForecastInputs, shocks: Shocks, path: int) -> list[float]:
    months = _months_ahead_of_each_day(inputs)
    levels = [_levels(factor, shocks, path, months) for factor in inputs.factors]
    single = _single_amounts(inputs, shocks, path)
    invoices = [_invoices(cloud, inputs, shocks, path, months) for cloud in inputs.cloud]
    persistent = shocks.normal(kind="persistent", name="")[path] if inputs.persistent_sd.any() else 0.0
    noise = shocks.noise_of_path(path).astype(float)
    balance, balances = inputs.opening_balance, []
    for t in range(inputs.horizon_days):
        month = _month_of_day(inputs, t)
        balance += inputs.fixed[t]
        balance += sum(f.daily[t] * level[month] for f, level in zip(inputs.factors, levels, strict=True))
        balance += inputs.shock_sd_per_day[t] * noise[t] + inputs.persistent_sd[t] * persistent
        balance += sum(amount for day, amount in single if day == t + 1)
        balance -= sum(invoice.get(t, 0.0) for invoice in invoices)
        balances.append(balance)
    return balances


def _date_of_day(inputs: ForecastInputs, t: int) -> date:
    return EPOCH + timedelta(days=inputs.as_of_day + 1 + t)


def _month_of_day(inputs: ForecastInputs, t: int) -> int:
    """Months since the as-of date's month."""
    day, as_of = _date_of_day(inputs, t), EPOCH + timedelta(days=inputs.as_of_day)
    return (day.year - as_of.year) * 12 + day.month - as_of.month


def _months_ahead_of_each_day(inputs: ForecastInputs) -> list[float]:
    """tau of each month step."""
    days: dict[int, list[int]] = {}
    for t in range(inputs.horizon_days):
        days.setdefault(_month_of_day(inputs, t), []).append(t + 1)
    months = [sum(days[j]) / len(days[j]) / 30.4 if j in days else 0.1 for j in range(max(days) + 1)]
    if 0 not in days:
        months[0] = min(months[0], months[1])
    return months


def _levels(factor: Factor, shocks: Shocks, path: int, months: list[float]) -> list[float]:
    if (factor.lvl, factor.g, factor.gsd, factor.rw) == (0.0, 0.0, 0.0, 0.0):
        return [1.0] * len(months)
    e1, e2, *z = (float(row) for row in shocks.level_shocks(factor.name)[:, path])
    levels, walk, before = [], 0.0, 0.0
    for j, tau in enumerate(months):
        walk += math.sqrt(tau - before) * z[j]
        before = tau
        damped = (1 - DAMPING_PER_MONTH**tau) / (1 - DAMPING_PER_MONTH)
        exponent = factor.lvl * e1 + damped * (factor.g + factor.gsd * e2)
        exponent += factor.rw * walk - factor.rw**2 * tau / 4
        levels.append(math.exp(min(max(exponent, -LARGEST_EXPONENT), LARGEST_EXPONENT)))
    return levels


def _single_amounts(inputs: ForecastInputs, shocks: Shocks, path: int) -> list[tuple[int, float]]:
    """(day, amount) of everything that comes once."""
    amounts: list[tuple[int, float]] = []
    for stream in inputs.lump_streams:
        amounts += _lumps(stream, shocks, path, inputs.horizon_days)
    for lump in inputs.dated_lumps:
        amounts += _dated(lump, shocks, path)
    for tranche in inputs.tranches:
        amounts += _tranche(tranche, shocks, path, inputs.horizon_days)
    return amounts


def _lumps(stream: LumpStream, shocks: Shocks, path: int, horizon_days: int) -> list[tuple[int, float]]:
    exposed_days = horizon_days - stream.first_day + 1
    if exposed_days < 1:
        return []
    row = shocks.uniform(kind="count", name=stream.name).row
    uniform = row.sorted_uniforms[row.stratum[path]]
    count = int(nbinom.ppf(uniform, stream.rate_shape, stream.rate_days / (stream.rate_days + exposed_days)))
    slots = shocks.arrival_slots(stream.name, slots=max(count, 1))
    lumps = []
    for n in range(count):
        day = stream.first_day + _scaled_floor(slots.times[path, n], exposed_days)
        size = stream.sizes[_scaled_floor(slots.choices[path, n], len(stream.sizes))]
        lumps.append((day, size * math.exp(stream.size_log_sd * float(slots.spreads[path, n]))))
    return lumps


def _scaled_floor(uniform: np.float32, count: int) -> int:
    # The product is float32 on purpose: which day a lump falls on must not hang on a rounding.
    return min(int(uniform * np.float32(count)), count - 1)


def _dated(lump: DatedLump, shocks: Shocks, path: int) -> list[tuple[int, float]]:
    if shocks.uniform(kind="lump", name=lump.name).uniforms[path] >= lump.probability:
        return []
    shift = lump.delay_sd_days * float(shocks.normal(kind="lump shift", name=lump.name)[path])
    late = -math.log1p(-float(shocks.uniform(kind="lump delay", name=lump.name).uniforms[path]))
    day = round(max(lump.day + shift, 0.0) + lump.delay_exp_days * late)
    return [(max(day, 1), lump.amount)]


def _tranche(tranche: Tranche, shocks: Shocks, path: int, horizon_days: int) -> list[tuple[int, float]]:
    if shocks.uniform(kind="tranche", name=tranche.name).uniforms[path] >= tranche.probability:
        return []
    row = shocks.uniform(kind="tranche delay", name=tranche.name).row
    uniform = row.sorted_uniforms[row.stratum[path]]
    mean, sd = tranche.delay_mean_days, tranche.delay_sd_days

    def come_by(day: int) -> float:
        late = day - tranche.day
        if late < 0:
            return 0.0
        if sd == 0.0:
            return 1.0 if late >= round(mean) else 0.0
        return float(gammainc((mean / sd) ** 2, (late + 0.5) / (sd**2 / mean)))

    already = come_by(0)
    for day in range(1, horizon_days + 1):
        if already < 1.0 - 1e-9:
            share = (come_by(day) - already) / (1.0 - already)
        else:
            share = 1.0 if sd == 0.0 else -math.expm1(-day / (sd**2 / mean))
        if uniform <= share:
            return [(day, tranche.amount)]
    return []


def _invoices(
    cloud: CloudUsage, inputs: ForecastInputs, shocks: Shocks, path: int, months: list[float]
) -> dict[int, float]:
    """{day index: amount}: day by day, grants pay what they can; each month's rest is paid the month after."""
    levels = _levels(cloud.usage, shocks, path, months)
    left = [grant.remaining for grant in cloud.grants]
    unpaid = {0: cloud.unbilled}
    invoices = {}
    for t in range(inputs.horizon_days):
        month = _month_of_day(inputs, t)
        rest = cloud.usage.daily[t] * levels[month]
        payable = cloud.payable * rest
        for n, grant in enumerate(cloud.grants):
            drawn = min(left[n], payable) if t + 1 <= grant.expires_day else 0.0
            left[n] -= drawn
            payable -= drawn
            rest -= drawn
        unpaid[month] = unpaid.get(month, 0.0) + rest
        today, tomorrow = _date_of_day(inputs, t), _date_of_day(inputs, t + 1)
        is_last_of_month = tomorrow.month != today.month
        if today.day == cloud.invoice_day_of_month or (
            is_last_of_month and today.day < cloud.invoice_day_of_month
        ):
            invoices[t] = unpaid.get(month - 1, 0.0)
    return invoices
