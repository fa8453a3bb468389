"""Simulate a company: ForecastInputs and Shocks in, Outcome out.

    B_t = C0 + sum_{s<=t} [ sum_k m_k(s) L_k(j(s)) + sigma_s eps_s + persistent + lumps - invoices + tranches ]
    T   = min{t >= 1 : B_t <= 0}

The same inputs and shocks give the same bits on one machine, whatever threads do; `reference.py` says the same
thing slowly.
"""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.bands import lowest_point
from forecasting.kernel.blas import use_one_blas_thread
from forecasting.kernel.block import PathBlock
from forecasting.kernel.cash_terms import CashTerms, cash_terms
from forecasting.kernel.charted_paths import ChartedPaths
from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.memory import keep_freed_memory
from forecasting.kernel.outcome import Bands, Burn, Outcome
from forecasting.kernel.path_blocks import blocks
from forecasting.kernel.quantiles import is_determined, quantile_days, runway_quantile
from forecasting.kernel.shocks import Shocks
from forecasting.kernel.soundness import UnsoundInputs, check_inputs


def simulate(
    inputs: ForecastInputs, shocks: Shocks, *, with_bands: bool = True, dispersion: float = 1.0
) -> Outcome:
    """The runway of one company; with bands, burn and the lowest point of the median unless told otherwise.

    A company whose opening balance is zero or less has runway 1, the earliest day there is.

    Args:
        dispersion: how far quantiles and probabilities are stretched about the median (`kernel/dispersion.py`).

    Raises:
        UnsoundInputs: the inputs are not finite, out of range or longer than the shocks.
        NonFinitePaths: a balance overflowed on the way.
    """
    terms = _terms(inputs, shocks)
    runway = np.empty(shocks.paths, np.int32)
    charted = ChartedPaths(terms) if with_bands else None
    for start, stop in blocks(shocks.paths):
        block = PathBlock(terms, start=start, stop=stop)
        if charted is not None:
            charted.add(block)
            if stop == shocks.paths:
                charted.start_sorting()
        runway[start:stop] = block.runway_days()
    return outcome_of(
        runway,
        horizon_days=inputs.horizon_days,
        burn=None if charted is None else charted.burn(),
        bands=None if charted is None else charted.bands(dispersion=dispersion),
        dispersion=dispersion,
    )


def runway_with_tranche_turned(inputs: ForecastInputs, shocks: Shocks, *, name: str) -> NDArray[np.int32]:
    """int32 [paths]: `Outcome.runway_days`, had this tranche come where it does not, and not where it does.

    Raises:
        KeyError: no tranche has this name.
        UnsoundInputs, NonFinitePaths: as `simulate`.
    """
    if name not in {tranche.name for tranche in inputs.tranches}:
        raise KeyError(name)
    terms = _terms(inputs, shocks, turned=name)
    return np.concatenate(
        [PathBlock(terms, start=start, stop=stop).runway_days() for start, stop in blocks(shocks.paths)]
    )


def outcome_of(
    runway: NDArray[np.int32],
    *,
    horizon_days: int,
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
        bands=bands,
        burn=burn,
        lowest=None if bands is None else lowest_point(bands),
        dispersion=dispersion,
    )


def _terms(inputs: ForecastInputs, shocks: Shocks, *, turned: str | None = None) -> CashTerms:
    check_inputs(inputs)
    if inputs.horizon_days > shocks.horizon_days:
        raise UnsoundInputs(
            f"horizon_days: shocks were drawn for {shocks.horizon_days}, not {inputs.horizon_days}"
        )
    use_one_blas_thread()
    keep_freed_memory()
    return cash_terms(inputs, shocks, turned=turned)
