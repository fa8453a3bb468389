"""Simulate a company: ForecastInputs and Shocks in, Outcome out.

    B_t = C0 + sum_{s<=t} [ sum_k m_k(s) L_k(j(s)) + sigma_s eps_s + persistent + lumps - invoices + tranches ]
    T   = min{t >= 1 : B_t <= 0}

The same inputs and shocks give the same bits on one machine, whatever threads do; `reference.py` says the same
thing slowly.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.bands import bands_of, lowest_point
from forecasting.kernel.burn import BURN_WINDOW_DAYS, burn_of
from forecasting.kernel.cash_terms import CashTerms, cash_terms
from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.outcome import Bands, Burn, Outcome
from forecasting.kernel.quantiles import is_determined, quantile_days, runway_quantile
from forecasting.kernel.shocks import Shocks
from forecasting.kernel.soundness import UnsoundInputs, check_inputs
from forecasting.kernel.threads import threads
from forecasting.kernel.walk_terms import LANES, Found, Turned

# Bands are lines on a chart: the first quarter of the paths draws them to within one percent of the band's
# width (ADR 0032). The runway's own quantiles always come from all paths.
ONE_PATH_IN = 4


@dataclass(frozen=True, slots=True, eq=False)
class BegunSimulation:
    """A simulation that other threads are at; whoever has something else to do does it meanwhile."""

    horizon_days: int
    found: Found
    turned: tuple[str, ...]
    dispersion: float
    ranges: tuple[Future[None], ...]

    def outcome(self) -> Outcome:
        """What it says, once all paths are walked.

        Raises:
            NonFinitePaths: a balance overflowed on the way.
        """
        for walked in self.ranges:
            walked.result()
        found = self.found
        charted = found.balances.shape[1] > 0
        return outcome_of(
            found.runway,
            horizon_days=self.horizon_days,
            turned=dict(zip(self.turned, found.turned, strict=True)),
            burn=burn_of(found.flows) if charted else None,
            bands=bands_of(found.balances, dispersion=self.dispersion) if charted else None,
            dispersion=self.dispersion,
        )


def simulate(
    inputs: ForecastInputs,
    shocks: Shocks,
    *,
    with_bands: bool = True,
    turned: Sequence[str] = (),
    dispersion: float = 1.0,
) -> Outcome:
    """The runway of one company; with bands, burn and the lowest point of the median unless told otherwise.

    A company whose opening balance is zero or less has runway 1, the earliest day there is.

    Args:
        turned: names of tranches, for `Outcome.turned`.
        dispersion: how far quantiles and probabilities are stretched about the median (`kernel/dispersion.py`).

    Raises:
        KeyError: no tranche has such a name.
        UnsoundInputs: the inputs are not finite, out of range or longer than the shocks.
        NonFinitePaths: a balance overflowed on the way.
    """
    return begin_simulation(inputs, shocks, with_bands=with_bands, turned=turned, dispersion=dispersion).outcome()


def begin_simulation(
    inputs: ForecastInputs,
    shocks: Shocks,
    *,
    with_bands: bool = True,
    turned: Sequence[str] = (),
    dispersion: float = 1.0,
) -> BegunSimulation:
    """`simulate` without waiting for the paths.

    Raises:
        KeyError, UnsoundInputs: as `simulate`.
    """
    terms = checked_terms(inputs, shocks)
    found = room_for(terms, turned=len(turned), charted=charted_paths(shocks.paths) if with_bands else 0)
    return BegunSimulation(
        horizon_days=inputs.horizon_days,
        found=found,
        turned=tuple(turned),
        dispersion=dispersion,
        ranges=begin_walking(terms, terms.turned(turned), found, sort=True),
    )


def charted_paths(paths: int) -> int:
    """How many paths are kept day by day for bands and burn: the first ones."""
    return -(-paths // ONE_PATH_IN)


def checked_terms(inputs: ForecastInputs, shocks: Shocks) -> CashTerms:
    """The terms of inputs that can be simulated.

    Raises:
        UnsoundInputs: the inputs are not finite, out of range or longer than the shocks.
    """
    check_inputs(inputs)
    if inputs.horizon_days > shocks.horizon_days:
        raise UnsoundInputs(
            f"horizon_days: shocks were drawn for {shocks.horizon_days}, not {inputs.horizon_days}"
        )
    return cash_terms(inputs, shocks)


def room_for(terms: CashTerms, *, turned: int, charted: int) -> Found:
    """Where a simulation writes its answers."""
    paths, horizon = terms.shocks.paths, terms.steps.days
    return Found(
        runway=np.empty(paths, np.int32),
        turned=np.empty((turned, paths), np.int32),
        balances=np.empty((horizon, charted), np.float32),
        flows=np.empty((min(horizon, BURN_WINDOW_DAYS), charted), np.float32),
    )


def begin_walking(terms: CashTerms, turned: Turned, found: Found, *, sort: bool) -> tuple[Future[None], ...]:
    """Walk all paths on two threads, the charted ones on the first.

    Args:
        sort: each day's charted balances, as bands want them, once they are there.
    """
    paths, charted = terms.shocks.paths, found.balances.shape[1]
    # Sorting the days of the charted paths takes as long as walking three times as many.
    first = min(paths, _whole_lanes(charted or paths // 2))

    def walk(start: int, stop: int, *, sort: bool) -> None:
        from forecasting.kernel.path_range import walk_range  # not at the top: it loads numba

        walk_range(terms, turned, found, start=start, stop=stop)
        if sort:
            # Sorting a float32 row is vectorised in NumPy, and faster than partitioning it at five places.
            found.balances.sort(axis=1)

    walked = [threads().submit(walk, 0, first, sort=sort and charted > 0)]
    if first < paths:
        walked.append(threads().submit(walk, first, paths, sort=False))
    return tuple(walked)


def _whole_lanes(paths: int) -> int:
    return max(1, -(-paths // LANES)) * LANES


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
