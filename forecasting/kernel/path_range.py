"""A range of paths, from their levels and single amounts to their runways: the work of one thread."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.cash_terms import CashTerms
from forecasting.kernel.soundness import NonFinitePaths
from forecasting.kernel.walk import add_lumps, add_payments, walk_paths, write_invoices, write_levels
from forecasting.kernel.walk_terms import Floats, Found, SingleAmounts, Turned


def walk_range(terms: CashTerms, turned: Turned, found: Found, *, start: int, stop: int) -> None:
    """Walk paths start .. stop - 1 and write what was found; `start` is a multiple of `walk_terms.LANES`.

    Raises:
        NonFinitePaths: a balance overflowed.
    """
    finite = walk_paths(
        start,
        terms.days,
        float(terms.inputs.opening_balance),
        terms.zero,
        _levels(terms, start=start, stop=stop),
        terms.shocks.noise,
        terms.persistent,
        _lumps_and_payments(terms, start=start, stop=stop),
        _funding(terms, start=start, stop=stop),
        turned,
        found,
    )
    if not finite:
        raise NonFinitePaths("a simulated balance is not a finite number: amounts or growth are too large")


def _levels(terms: CashTerms, *, start: int, stop: int) -> Floats:
    """float32 [rows, steps, paths]: levels of the uncertain factors, then invoices of each provider."""
    levels = np.empty((len(terms.levels), terms.steps.count, stop - start), np.float32)
    for out, level in zip(levels, terms.levels, strict=True):
        if level is None:
            out[:] = 1.0
        else:
            write_levels(level.law, level.shocks, start, out)
    for out, grants in zip(levels[len(levels) - len(terms.grants) :], terms.grants, strict=True):
        write_invoices(grants, out)
    return levels


def _lumps_and_payments(terms: CashTerms, *, start: int, stop: int) -> SingleAmounts:
    counts = np.full(stop - start, len(terms.payments), np.int64)
    for stream in terms.streams:
        counts += stream.counts[start:stop]
    singles = _room_for(counts)
    for stream in terms.streams:
        law, slots = stream.stream, stream.slots
        add_lumps(
            singles,
            start,
            stream.counts,
            slots.times,
            slots.choices,
            slots.spreads,
            law.sizes.astype(np.float32),
            law.size_log_sd,
            law.first_day - 1,
            terms.steps.days - law.first_day + 1,
        )
    for payment in terms.payments:
        add_payments(singles, start, payment.day_indexes, float(payment.amount), terms.steps.days)
    return singles


def _funding(terms: CashTerms, *, start: int, stop: int) -> SingleAmounts:
    singles = _room_for(np.full(stop - start, len(terms.funding), np.int64))
    for tranche in terms.funding:
        add_payments(singles, start, tranche.day_indexes, float(tranche.amount), terms.steps.days)
    return singles


def _room_for(counts: NDArray[np.int64]) -> SingleAmounts:
    ends = np.cumsum(counts)
    room = int(ends[-1]) if ends.size else 0
    return SingleAmounts(
        starts=ends - counts,
        held=np.zeros(counts.shape[0], np.int64),
        day_indexes=np.empty(room, np.int16),
        amounts=np.empty(room, np.float32),
    )
