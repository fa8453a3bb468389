"""Simulate a company: ForecastInputs and Shocks in, Outcome out.

    B_t = C0 + sum_{s<=t} [ sum_k m_k(s) L_k(j(s)) + sigma_s eps_s + persistent + lumps - invoices + tranches ]
    T   = min{t >= 1 : B_t <= 0}

The same inputs and shocks give the same bits on one machine, whatever threads do; `reference.py` says the same
thing slowly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.bands import lowest_point
from forecasting.kernel.blas import use_one_blas_thread
from forecasting.kernel.block import PathBlock
from forecasting.kernel.cash_terms import cash_terms, with_tranche_turned
from forecasting.kernel.charted_paths import ChartedPaths
from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.memory import keep_freed_memory
from forecasting.kernel.outcome import Bands, Burn, Outcome
from forecasting.kernel.path_blocks import blocks
from forecasting.kernel.quantiles import is_determined, quantile_days, runway_quantile
from forecasting.kernel.shared_parts import SharedParts
from forecasting.kernel.shocks import Shocks
from forecasting.kernel.soundness import UnsoundInputs, check_inputs


@dataclass(frozen=True, slots=True, eq=False)
class BegunSimulation:
    """A simulation whose runways are known, while the days of its bands may still be sorted on another thread.

    Attributes:
        runway: int32 [paths], first day with a balance of zero; the horizon plus one when there is none.
        turned_runways: the same per tranche asked for, had it been decided the other way.
        charted: paths for bands and burn, None when nobody asked for them.
    """

    horizon_days: int
    runway: NDArray[np.int32]
    turned_runways: Mapping[str, NDArray[np.int32]]
    charted: ChartedPaths | None
    dispersion: float

    def outcome(self) -> Outcome:
        """What it says, once everything is sorted."""
        charted = self.charted
        return outcome_of(
            self.runway,
            horizon_days=self.horizon_days,
            turned=self.turned_runways,
            burn=None if charted is None else charted.burn(),
            bands=None if charted is None else charted.bands(dispersion=self.dispersion),
            dispersion=self.dispersion,
        )


def simulate(
    inputs: ForecastInputs,
    shocks: Shocks,
    *,
    with_bands: bool = True,
    turned: Sequence[str] = (),
    dispersion: float = 1.0,
    shared: SharedParts | None = None,
) -> Outcome:
    """The runway of one company; with bands, burn and the lowest point of the median unless told otherwise.

    A company whose opening balance is zero or less has runway 1, the earliest day there is.

    Args:
        turned: names of tranches, for `Outcome.turned`.
        dispersion: how far quantiles and probabilities are stretched about the median (`kernel/dispersion.py`).
        shared: keeps what other simulations on these shocks can use, and has it from them.

    Raises:
        ValueError: `shared` is of other shocks.
        KeyError: no tranche has such a name.
        UnsoundInputs: the inputs are not finite, out of range or longer than the shocks.
        NonFinitePaths: a balance overflowed on the way.
    """
    return begin_simulation(
        inputs, shocks, with_bands=with_bands, turned=turned, dispersion=dispersion, shared=shared
    ).outcome()


def begin_simulation(
    inputs: ForecastInputs,
    shocks: Shocks,
    *,
    with_bands: bool = True,
    turned: Sequence[str] = (),
    dispersion: float = 1.0,
    shared: SharedParts | None = None,
) -> BegunSimulation:
    """`simulate` without waiting for the bands: whoever has something else to do does it meanwhile."""
    check_inputs(inputs)
    if inputs.horizon_days > shocks.horizon_days:
        raise UnsoundInputs(
            f"horizon_days: shocks were drawn for {shocks.horizon_days}, not {inputs.horizon_days}"
        )
    if shared is not None and shared.shocks is not shocks:
        raise ValueError("shared: holds parts of other shocks")
    use_one_blas_thread()
    keep_freed_memory()
    terms = cash_terms(inputs, shocks)
    otherwise = {name: with_tranche_turned(terms, name=name) for name in turned}
    runway = np.empty(shocks.paths, np.int32)
    turned_runways = {name: np.empty(shocks.paths, np.int32) for name in otherwise}
    charted = ChartedPaths(terms) if with_bands else None
    for start, stop in blocks(shocks.paths):
        block = PathBlock(terms, start=start, stop=stop, shared=shared)
        if charted is not None:
            charted.add(block)
            if stop == shocks.paths:
                charted.start_sorting()
        runway[start:stop] = block.runway_days()
        for name, other in otherwise.items():
            days = PathBlock(other, start=start, stop=stop, before_funding=block).runway_days()
            turned_runways[name][start:stop] = days
    return BegunSimulation(
        horizon_days=inputs.horizon_days,
        runway=runway,
        turned_runways=turned_runways,
        charted=charted,
        dispersion=dispersion,
    )


def outcome_of(
    runway: NDArray[np.int32],
    *,
    horizon_days: int,
    turned: Mapping[str, NDArray[np.int32]] | None = None,
    bands: Bands | None = None,
    burn: Burn | None = None,
    dispersion: float = 1.0,
) -> Outcome:
    """What the runways of all paths, int32 [paths], say; `dispersion` as in `simulate`."""
    days = quantile_days(runway_days=runway, horizon_days=horizon_days, dispersion=dispersion)
    p5, p50, p95 = (
        runway_quantile(quantile_days=days, percent=percent, horizon_days=horizon_days) for percent in (5, 50, 95)
    )
    return Outcome(
        horizon_days=horizon_days,
        runway_days=runway,
        quantile_days=days,
        p5=p5,
        p50=p50,
        p95=p95,
        determined=is_determined(p5=p5, p50=p50, p95=p95),
        turned=turned or {},
        bands=bands,
        burn=burn,
        lowest=None if bands is None else lowest_point(bands),
        dispersion=dispersion,
    )
