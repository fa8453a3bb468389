"""Compound Poisson lumps whose rate is itself uncertain.

With a Gamma rate the number of arrivals in a period is negative binomial, and given that number the arrivals are
independent and uniform over the period. So the count is drawn directly and no rate is ever needed.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.arrivals import NO_ARRIVALS, Arrivals
from forecasting.kernel.calendar import MonthSteps
from forecasting.kernel.inputs import LumpStream
from forecasting.kernel.path_blocks import blocks
from forecasting.kernel.shocks import ArrivalSlots, Shocks
from forecasting.kernel.soundness import UnsoundInputs

_NEGLIGIBLE = 1e-7  # a tenth of a path in a million
MOST_ARRIVALS_PER_PATH = 500


@dataclass(frozen=True, slots=True, eq=False)
class SlotDays:
    """The days on which a stream's slots arrive: shocks on a calendar, whatever a company's rate and sizes.

    Attributes:
        day_indexes: int16 [slots, paths], 0 is day 1.
        cells: int32 [slots, paths], see `Arrivals`.
    """

    day_indexes: NDArray[np.int16]
    cells: NDArray[np.int32]

    @property
    def nbytes(self) -> int:
        return self.day_indexes.nbytes + self.cells.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class PoissonArrivals:
    """The lumps of one stream.

    Attributes:
        counts: int32 [paths], arrivals between `first_day` and the horizon.
    """

    stream: LumpStream
    counts: NDArray[np.int32]
    slots: ArrivalSlots
    days: SlotDays

    @property
    def key(self) -> tuple[object, ...]:
        """What decides the lumps, shocks and calendar apart."""
        law = self.stream
        return (law.name, law.rate_shape, law.rate_days, law.size_log_sd, law.first_day, law.sizes.tobytes())

    def on_block(self, start: int, stop: int) -> Arrivals:
        # Columns of the slots stand in descending order of the count, so each slot's paths are its first columns.
        order = self.slots.paths[start:stop]
        counts = np.bincount(self.counts[start:stop])
        reach = (stop - start - np.cumsum(counts))[:-1].tolist()  # paths with more than 0, 1, 2, ... arrivals
        if not reach:
            return NO_ARRIVALS
        columns = [slice(start, start + paths) for paths in reach]
        choices = np.concatenate([self.slots.choices[n, chosen] for n, chosen in enumerate(columns)])
        amounts = self.stream.sizes.astype(np.float32)[scaled_floor(choices, self.stream.sizes.shape[0], np.int64)]
        if self.stream.size_log_sd > 0.0:
            spreads = np.concatenate([self.slots.spreads[n, chosen] for n, chosen in enumerate(columns)])
            spreads *= np.float32(self.stream.size_log_sd)
            amounts *= np.exp(spreads, out=spreads)
        days, cells = self.days.day_indexes, self.days.cells
        return Arrivals(
            paths=np.concatenate([order[:paths] for paths in reach]),
            day_indexes=np.concatenate([days[n, chosen] for n, chosen in enumerate(columns)], dtype=np.int32),
            cells=np.concatenate([cells[n, chosen] for n, chosen in enumerate(columns)], dtype=np.int64),
            amounts=amounts,
        )


def scaled_floor[I: np.integer](uniforms: NDArray[np.float32], count: int, kind: type[I]) -> NDArray[I]:
    """Integers in 0 .. count - 1, each equally likely."""
    scaled = uniforms * np.float32(count)
    # A uniform just below one, times a large count, rounds up to the count in float32.
    np.minimum(scaled, np.float32(count - 0.5), out=scaled)
    return scaled.astype(kind)


def draw_poisson(*, stream: LumpStream, shocks: Shocks, steps: MonthSteps) -> PoissonArrivals | None:
    """The arrivals of a stream on every path; None when it starts after the horizon.

    Raises:
        UnsoundInputs: a path has more lumps than `MOST_ARRIVALS_PER_PATH`.
    """
    exposed_days = steps.days - stream.first_day + 1
    if exposed_days < 1:
        return None
    cumulative = negative_binomial_cdf(
        shape=stream.rate_shape, rate_days=stream.rate_days, exposed_days=exposed_days
    )
    counts = shocks.uniform(kind="count", name=stream.name).row.counts(cumulative=cumulative)
    most = int(counts.max())
    if most > MOST_ARRIVALS_PER_PATH:
        raise UnsoundInputs(
            f"lump_streams {stream.name!r}: over {MOST_ARRIVALS_PER_PATH} lumps on one path; that is a daily flow"
        )
    slots = shocks.arrival_slots(stream.name, slots=max(most, 1))
    days = shocks.derived(
        ("slot days", stream.name, slots.times.shape[0], stream.first_day, steps.key),
        lambda: _slot_days(slots=slots, first_day=stream.first_day, steps=steps),
    )
    return PoissonArrivals(stream=stream, counts=counts, slots=slots, days=days)


def _slot_days(*, slots: ArrivalSlots, first_day: int, steps: MonthSteps) -> SlotDays:
    first_index = first_day - 1
    days = scaled_floor(slots.times, steps.days - first_index, np.int32) + np.int32(first_index)
    cells = np.empty(days.shape, np.int32)
    for start, stop in blocks(days.shape[1]):
        np.multiply(
            steps.step_of_day[days[:, start:stop]], stop - start, out=cells[:, start:stop], casting="same_kind"
        )
        cells[:, start:stop] += slots.paths[start:stop]
    slot_days = SlotDays(day_indexes=days.astype(np.int16), cells=cells)
    for array in (slot_days.day_indexes, slot_days.cells):
        array.setflags(write=False)
    return slot_days


def negative_binomial_cdf(*, shape: float, rate_days: float, exposed_days: float) -> NDArray[np.float64]:
    """P(N <= n) for n = 0, 1, ... until only a negligible rest is left; N counts arrivals in `exposed_days`
    at a rate per day distributed Gamma(shape, scale 1 / rate_days)."""
    growth = exposed_days / (rate_days + exposed_days)
    log_term = shape * math.log1p(-growth)
    total, cumulative = 0.0, []
    for n in range(MOST_ARRIVALS_PER_PATH + 1):
        total += math.exp(log_term)
        cumulative.append(min(total, 1.0))
        if 1.0 - total < _NEGLIGIBLE:
            break
        log_term += math.log((n + shape) / (n + 1.0) * growth)
    return np.array(cumulative)
