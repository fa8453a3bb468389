"""Inputs that no simulation should start from, refused with the field that is wrong.

A NaN in one array once made a company "never run out": every comparison with NaN is false.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.inputs import CloudUsage, DatedLump, Factor, ForecastInputs, LumpStream, Tranche

MAX_HORIZON_DAYS = 3_660
LARGEST_BALANCE = 1e30  # float32 ends at 3e38, and what follows from a balance needs room


class UnsoundInputs(ValueError):
    """The inputs cannot be simulated; the message names each field and the reason."""


class NonFinitePaths(ArithmeticError):
    """A simulated balance is not a number; no figure is better than a wrong one."""


def check_inputs(inputs: ForecastInputs) -> None:
    """Refuse inputs that are not finite, not of the horizon's length or out of range.

    Raises:
        UnsoundInputs: with every problem found, not only the first.
    """
    if not 1 <= inputs.horizon_days <= MAX_HORIZON_DAYS:
        raise UnsoundInputs(f"horizon_days: must be 1 to {MAX_HORIZON_DAYS}, is {inputs.horizon_days}")
    problems = [
        *_numbers("opening_balance", inputs.opening_balance, at_least=-LARGEST_BALANCE, at_most=LARGEST_BALANCE),
        *_per_day("fixed", inputs.fixed, inputs.horizon_days),
        *_per_day("shock_sd_per_day", inputs.shock_sd_per_day, inputs.horizon_days, at_least=0.0),
        *_per_day("persistent_sd", inputs.persistent_sd, inputs.horizon_days, at_least=0.0),
        *_unique("factors", [f.name for f in inputs.factors] + [c.usage.name for c in inputs.cloud]),
        *_unique("lump_streams", [s.name for s in inputs.lump_streams]),
        *_unique("dated_lumps", [d.name for d in inputs.dated_lumps]),
        *_unique("tranches", [t.name for t in inputs.tranches]),
    ]
    for n, factor in enumerate(inputs.factors):
        problems += _factor(f"factors[{n}]", factor, inputs.horizon_days, at_least=None)
    for n, stream in enumerate(inputs.lump_streams):
        problems += _stream(f"lump_streams[{n}]", stream)
    for n, lump in enumerate(inputs.dated_lumps):
        problems += _dated(f"dated_lumps[{n}]", lump)
    for n, tranche in enumerate(inputs.tranches):
        problems += _tranche(f"tranches[{n}]", tranche)
    for n, cloud in enumerate(inputs.cloud):
        problems += _cloud(f"cloud[{n}]", cloud, inputs.horizon_days)
    if problems:
        raise UnsoundInputs("; ".join(problems))


def _factor(path: str, factor: Factor, horizon_days: int, *, at_least: float | None) -> list[str]:
    return [
        *_per_day(f"{path}.daily", factor.daily, horizon_days, at_least=at_least),
        *_numbers(f"{path}.g", factor.g, at_least=None),
        *_numbers(f"{path}.lvl", factor.lvl),
        *_numbers(f"{path}.gsd", factor.gsd),
        *_numbers(f"{path}.rw", factor.rw),
    ]


def _stream(path: str, stream: LumpStream) -> list[str]:
    problems = [
        *_numbers(f"{path}.rate_shape", stream.rate_shape, above=0.0),
        *_numbers(f"{path}.rate_days", stream.rate_days, above=0.0),
        *_numbers(f"{path}.size_log_sd", stream.size_log_sd),
        *_numbers(f"{path}.first_day", stream.first_day, at_least=1),
    ]
    if stream.sizes.ndim != 1 or stream.sizes.size == 0:
        problems.append(f"{path}.sizes: must be a list with at least one amount")
    elif not np.isfinite(stream.sizes).all():
        problems.append(f"{path}.sizes: must be finite")
    return problems


def _dated(path: str, lump: DatedLump) -> list[str]:
    return [
        *_numbers(f"{path}.day", lump.day, at_least=None),
        *_numbers(f"{path}.amount", lump.amount, at_least=None),
        *_numbers(f"{path}.probability", lump.probability, at_most=1.0),
        *_numbers(f"{path}.delay_exp_days", lump.delay_exp_days),
        *_numbers(f"{path}.delay_sd_days", lump.delay_sd_days),
    ]


def _tranche(path: str, tranche: Tranche) -> list[str]:
    problems = [
        *_numbers(f"{path}.day", tranche.day, at_least=None),
        *_numbers(f"{path}.amount", tranche.amount),
        *_numbers(f"{path}.probability", tranche.probability, at_most=1.0),
        *_numbers(f"{path}.delay_mean_days", tranche.delay_mean_days),
        *_numbers(f"{path}.delay_sd_days", tranche.delay_sd_days),
    ]
    if not problems and tranche.delay_sd_days > 0.0 and tranche.delay_mean_days == 0.0:
        problems.append(f"{path}.delay_mean_days: must be positive when delay_sd_days is")
    return problems


def _cloud(path: str, cloud: CloudUsage, horizon_days: int) -> list[str]:
    problems = [
        *_factor(f"{path}.usage", cloud.usage, horizon_days, at_least=0.0),
        *_numbers(f"{path}.unbilled", cloud.unbilled),
        *_numbers(f"{path}.invoice_day_of_month", cloud.invoice_day_of_month, at_least=1, at_most=31),
        *_numbers(f"{path}.payable", cloud.payable, at_least=0, at_most=1),
    ]
    for n, grant in enumerate(cloud.grants):
        problems += _numbers(f"{path}.grants[{n}].remaining", grant.remaining)
    if any(a.expires_day > b.expires_day for a, b in zip(cloud.grants, cloud.grants[1:], strict=False)):
        problems.append(f"{path}.grants: must be ordered by expiry, soonest first")
    return problems


def _per_day(
    path: str, values: NDArray[np.float64], horizon_days: int, *, at_least: float | None = None
) -> Iterable[str]:
    if values.shape != (horizon_days,):
        return [f"{path}: must have one value for each of {horizon_days} days, has shape {values.shape}"]
    if not np.isfinite(values).all():
        return [f"{path}: must be finite"]
    if at_least is not None and values.min() < at_least:
        return [f"{path}: must be at least {at_least:g}"]
    return []


def _numbers(
    path: str,
    value: float,
    *,
    at_least: float | None = 0.0,
    above: float | None = None,
    at_most: float | None = None,
) -> Iterable[str]:
    if not np.isfinite(value):
        return [f"{path}: must be finite"]
    if above is not None and value <= above:
        return [f"{path}: must be above {above:g}, is {value:g}"]
    if above is None and at_least is not None and value < at_least:
        return [f"{path}: must be at least {at_least:g}, is {value:g}"]
    if at_most is not None and value > at_most:
        return [f"{path}: must be at most {at_most:g}, is {value:g}"]
    return []


def _unique(path: str, names: Sequence[str]) -> list[str]:
    # A name names the shocks: two factors of one name would move as one.
    return [f"{path}: the name {name!r} stands {n} times" for name, n in Counter(names).items() if n > 1]
