"""What a driver hands to a forecast: pieces of the simulation's inputs, dated events, and marks for the chart."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.company import FittedCompany
from forecasting.fit.history import CompanyHistory
from forecasting.kernel.inputs import CloudUsage, DatedLump, Factor, LumpStream, Tranche

Floats = NDArray[np.float64]
Basis = Literal["bank", "free"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One company, fitted, with the question asked of it.

    Attributes:
        basis: `bank` counts cash; `free` leaves out what is not ours (unearned revenue, withheld tax).
        horizon_days: days of the forecast; day 1 follows the as-of date.
    """

    history: CompanyHistory
    company: FittedCompany
    basis: Basis
    horizon_days: int

    @property
    def first_day(self) -> int:
        """Day 1 as days since 1970-01-01."""
        return self.company.as_of_day + 1

    @property
    def is_free(self) -> bool:
        """Whether what is not ours is left out."""
        return self.basis == "free"

    def days_ahead(self, day: int) -> int:
        """Day of the forecast of a day since 1970-01-01: 1 is tomorrow."""
        return day - self.company.as_of_day

    def per_day(self, day: NDArray[np.int64], amount: Floats) -> Floats:
        """float64 [horizon]: amounts summed on their days; what lies outside the horizon is left out."""
        index = day - self.first_day
        inside = (index >= 0) & (index < self.horizon_days)
        summed: Floats = np.bincount(index[inside], weights=amount[inside], minlength=self.horizon_days)
        return summed.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Contribution:
    """Pieces of ForecastInputs; what a driver has nothing of stays empty.

    Attributes:
        opening: added to the cash balance on the as-of date, e.g. less what is owed.
        fixed: float64 [horizon], certain cash.
        shock_variance: variance of each day's noise, the same every day or float64 [horizon].
        persistent_sd: sd per day of an error that one path keeps.
    """

    factors: tuple[Factor, ...] = ()
    opening: float = 0.0
    fixed: Floats | None = None
    shock_variance: float | Floats = 0.0
    persistent_sd: float = 0.0
    lump_streams: tuple[LumpStream, ...] = ()
    dated_lumps: tuple[DatedLump, ...] = ()
    tranches: tuple[Tranche, ...] = ()
    cloud: tuple[CloudUsage, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the driver has nothing to say about this company."""
        pieces = (self.factors, self.lump_streams, self.dated_lumps, self.tranches, self.cloud)
        noise = bool(np.any(self.shock_variance)) or bool(self.persistent_sd)
        return self.fixed is None and not self.opening and not any(pieces) and not noise


@dataclass(frozen=True, slots=True)
class DatedEvent:
    """Something that will move cash on a known day.

    Attributes:
        day: of the forecast, 1 is tomorrow.
        kind: payroll, tax, bill, renewal, receivable, tranche, credit.
        amount: signed; 0 where no cash moves, e.g. the expiry of a credit.
        probability: 1.0 for what is only uncertain in size.
    """

    day: int
    kind: str
    label: str
    amount: float
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A dated line on the fan chart."""

    day: int
    kind: str
    label: str
    amount: float = 0.0


def no_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """For drivers without a calendar."""
    del setting
    return ()


def no_marks(setting: Setting) -> tuple[Mark, ...]:
    """For drivers that a chart does not mark."""
    del setting
    return ()


@dataclass(frozen=True, slots=True)
class Driver:
    """One reason why the balance moves.

    Attributes:
        name: as the module's, stable, in stored forecasts.
        label: what a founder would call it.
    """

    name: str
    label: str
    contribute: Callable[[Setting], Contribution]
    next_events: Callable[[Setting], tuple[DatedEvent, ...]] = no_events
    marks: Callable[[Setting], tuple[Mark, ...]] = no_marks


SLOTS = 64


def slot_names(prefix: str, keys: Iterable[str]) -> tuple[str, ...]:
    """A name for the shocks of each key, out of few names that all companies share.

    A name of its own for each customer of each company would draw and keep shocks that nobody else uses; a mere
    ordinal would reshuffle every customer's luck when one is added. So a key hashes to one of SLOTS names, and
    moves on while that is taken.
    """
    names: list[str] = []
    taken: set[int] = set()
    for key in keys:
        slot = sum(ord(letter) * (position + 1) * 31 for position, letter in enumerate(key)) % SLOTS
        while slot in taken:
            slot += 1
        taken.add(slot)
        names.append(f"{prefix} {slot}")
    return tuple(names)
