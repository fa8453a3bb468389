"""Everything the simulation is told about a company: arrays and small frozen nouns, money in base currency.

Day 1 is the day after the as-of date; index 0 of a per-day array is day 1. Notation as in `docs/architecture.md`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Factor:
    """A stream of expected cash with one uncertain level per path.

    On day t in month step j of a path the factor moves `daily[t] * L(j)`,
        L(j) = exp(lvl e1 + d(tau_j) (g + gsd e2) + rw W_j - rw^2 tau_j / 4),
    exponent clipped to +-3. With all four parameters at zero the flow is exactly `daily`.

    Attributes:
        name: names the factor's shocks, so that adding one factor does not reshuffle another's.
        daily: float64 [horizon], signed expected cash per day at level 1; the calendar lives here.
        lvl: sd of the log level, known once per path.
        g: expected log growth per month, damped by d(tau) = (1 - 0.97^tau) / (1 - 0.97).
        gsd: sd of g.
        rw: sd of the monthly random walk of the log level.
    """

    name: str
    daily: NDArray[np.float64]
    lvl: float = 0.0
    g: float = 0.0
    gsd: float = 0.0
    rw: float = 0.0


@dataclass(frozen=True, slots=True)
class LumpStream:
    """Compound Poisson lumps: rate per day ~ Gamma(rate_shape, scale 1 / rate_days), once per path.

    Attributes:
        sizes: float64 [n], signed amounts to draw from with equal probability.
        size_log_sd: each drawn size is multiplied by exp(size_log_sd * N(0, 1)).
        first_day: no arrival before this day.
    """

    name: str
    rate_shape: float
    rate_days: float
    sizes: NDArray[np.float64]
    size_log_sd: float = 0.0
    first_day: int = 1


@dataclass(frozen=True, slots=True)
class DatedLump:
    """One uncertain payment: with `probability` on day + Exp(delay_exp_days) + N(0, delay_sd_days), else never.

    Attributes:
        day: expected day, may be 0 or negative for something overdue: it then arrives from day 1 on, and its
            exponential delay counts from day 0, because an exponential has no memory.
        amount: signed.
    """

    name: str
    day: float
    amount: float
    probability: float
    delay_exp_days: float = 0.0
    delay_sd_days: float = 0.0


@dataclass(frozen=True, slots=True)
class Tranche:
    """Funding: with `probability` on planned day + Gamma(mean, sd) days, else never.

    A planned day of 0 or less is overdue: the delay is then drawn given that it is longer than that, and
    `probability` is the chance, as of now, that it comes at all.
    """

    name: str
    day: int
    amount: float
    probability: float
    delay_mean_days: float
    delay_sd_days: float


@dataclass(frozen=True, slots=True)
class CreditGrant:
    """A vendor credit: pays cloud usage until it is used up or `expires_day` (its last day) is over."""

    remaining: float
    expires_day: int


@dataclass(frozen=True, slots=True)
class CloudUsage:
    """Metered usage, billed once a month in arrears after credit grants, soonest expiry first.

    Attributes:
        usage: the gross usage per day as a factor (daily > 0; it is a cost).
        invoice_day_of_month: when the invoice for the month before is paid (the last day of a shorter month).
        unbilled: usage of the as-of date's month up to the as-of date, net of credit; it is paid with the next
            month's invoice. The invoice for the month before, where it is still unpaid, belongs into `fixed`.
        grants: ordered by expiry.
        payable: the share of usage that grants may pay; a marketplace's part of a bill, say, is paid in cash.
    """

    usage: Factor
    invoice_day_of_month: int
    unbilled: float = 0.0
    grants: tuple[CreditGrant, ...] = ()
    payable: float = 1.0


@dataclass(frozen=True, slots=True)
class ForecastInputs:
    """One company on one as-of date, ready to simulate.

    Attributes:
        as_of_day: days since 1970-01-01 of the as-of date (its end is the opening instant).
        opening_balance: cash on the basis of the forecast.
        horizon_days: length T of every per-day array.
        fixed: float64 [T], signed cash that is certain (e.g. release of deferred revenue on the free basis).
        shock_sd_per_day: float64 [T], sd of the daily noise; shocks are Student-t(4) scaled to unit variance.
        persistent_sd: float64 [T], sd per day of one error shared by all days of a path (the leak's level error).

    Names within a kind name the shocks, so they are unique (factors and cloud usage are one kind). `soundness.py`
    says what else is refused.
    """

    as_of_day: int
    opening_balance: float
    horizon_days: int
    factors: tuple[Factor, ...]
    fixed: NDArray[np.float64]
    shock_sd_per_day: NDArray[np.float64]
    persistent_sd: NDArray[np.float64]
    lump_streams: tuple[LumpStream, ...] = ()
    dated_lumps: tuple[DatedLump, ...] = ()
    tranches: tuple[Tranche, ...] = ()
    cloud: tuple[CloudUsage, ...] = ()
