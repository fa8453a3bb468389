"""What the compiled loops of `walk.py` are given and where they write: arrays under names.

Apart from them, so that numba is loaded by whoever simulates and by nobody else.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

# Paths that are walked side by side. Their flows of a year (370 kB) fit the second cache; ranges begin at
# multiples of it, so that a path comes to the same bits however paths are split over threads.
LANES = 256


class LevelLaw(NamedTuple):
    """One factor's level (`levels.py`): its four parameters and what they are multiplied with, float64 [steps]."""

    lvl: float
    g: float
    gsd: float
    rw: float
    months_ahead: Doubles
    damped: Doubles
    walk_step: Doubles


class GrantLaw(NamedTuple):
    """One provider's usage and grants, drawn down by `walk.write_invoices`.

    Attributes:
        usage: float64 [steps], usage at level 1 in each month step.
        usage_before_expiry: float64 [grants, steps], the part of it that a grant may pay and that falls on or
            before its last day.
        remaining: float64 [grants], soonest expiry first.
        unbilled: usage of the as-of month before day 1, net of credit; invoiced with step 0.
    """

    usage: Doubles
    usage_before_expiry: Doubles
    remaining: Doubles
    unbilled: float


class DayTerms(NamedTuple):
    """What is the same on every path, day by day.

    Attributes:
        starts, stops: int64 [steps], see `calendar.MonthSteps`.
        first_row: int64 [horizon + 1]; rows[first_row[t]:first_row[t + 1]] move on the day of index t.
        rows: int64 [n], places in the levels of the range.
        per_row: float32 [n], flow of the day per unit of the row.
        fixed: float64 [horizon], running sum of certain flows since the start of the month step.
        fixed_totals: float64 [steps].
        noise_sd, persistent_sd: float32 [horizon].
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    first_row: NDArray[np.int64]
    rows: NDArray[np.int64]
    per_row: Floats
    fixed: Doubles
    fixed_totals: Doubles
    noise_sd: Floats
    persistent_sd: Floats


class SingleAmounts(NamedTuple):
    """Amounts on single days. Those of a path lie together, in the order in which they were added.

    Attributes:
        starts: int64 [n], where a path's begin.
        held: int64 [n], how many it has so far.
        day_indexes: int16, 0 is day 1; always within the horizon.
        amounts: float32, signed.
    """

    starts: NDArray[np.int64]
    held: NDArray[np.int64]
    day_indexes: NDArray[np.int16]
    amounts: Floats


class Turned(NamedTuple):
    """Other worlds: in each, a tranche comes where it does not, and does not where it does.

    Attributes:
        day_indexes: int32 [worlds, paths], from when on it makes a difference.
        amounts: float32 [worlds, paths], which one.
    """

    day_indexes: NDArray[np.int32]
    amounts: Floats


class Found(NamedTuple):
    """Where the answers go.

    Attributes:
        runway: int32 [paths], first day at zero, the horizon plus one when there is none.
        turned: int32 [worlds, paths], the same in the other worlds.
        balances: float32 [horizon, charted paths], closing balances of the simulation's first paths.
        flows: float32 [window, charted paths], their flows on the first days, funding apart.
    """

    runway: NDArray[np.int32]
    turned: NDArray[np.int32]
    balances: Floats
    flows: Floats
