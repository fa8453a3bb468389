"""The loops of the simulation, compiled: levels, invoices and single amounts of a range of paths, then its days.

Arrays are of one range of paths, from `first` on, unless they say [paths]: those are of all. Money is float32
within a month and float64 from month to month.
"""

import math

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.compiled import compiled
from forecasting.kernel.levels import LARGEST_EXPONENT, SHOCK_ROWS_BEFORE_STEPS
from forecasting.kernel.walk_terms import LANES, DayTerms, Floats, Found, GrantLaw, LevelLaw, SingleAmounts, Turned

_LARGEST_EXPONENT = np.float32(LARGEST_EXPONENT)
_ONE = np.float32(1.0)
_HALF = np.float32(0.5)


@compiled
def write_levels(law: LevelLaw, shocks: Floats, first: int, out: Floats) -> None:
    """L(j) of one factor into `out`, float32 [steps, n]; its shocks are float32 [2 + steps or more, paths]."""
    walked = np.empty(LANES, np.float32)
    for begin in range(0, out.shape[1], LANES):
        lanes = min(LANES, out.shape[1] - begin)
        place = first + begin
        walk = walked[:lanes]
        walk[:] = np.float32(0.0)
        at_start, growth = shocks[0, place : place + lanes], shocks[1, place : place + lanes]
        lvl = np.float32(law.lvl)
        for step in range(out.shape[0]):
            certain = np.float32(law.damped[step] * law.g - law.rw * law.rw * law.months_ahead[step] / 4.0)
            per_growth = np.float32(law.damped[step] * law.gsd)
            per_step = np.float32(law.rw * law.walk_step[step])
            steps = shocks[SHOCK_ROWS_BEFORE_STEPS + step, place : place + lanes]
            levels = out[step, begin : begin + lanes]
            for i in range(lanes):
                walk[i] += per_step * steps[i]
                exponent = certain + lvl * at_start[i] + per_growth * growth[i] + walk[i]
                exponent = min(max(exponent, -_LARGEST_EXPONENT), _LARGEST_EXPONENT)
                levels[i] = _exponential(exponent)


@compiled
def _exponential(exponent: np.float32) -> np.float32:
    """exp of -3 .. 3 to a few units in the last place: by Taylor of an eighth, three times squared.

    The library's own is called path by path; this runs on sixteen paths at once.
    """
    eighth = exponent * np.float32(0.125)
    total = np.float32(1 / 5040) * eighth + np.float32(1 / 720)
    total = total * eighth + np.float32(1 / 120)
    total = total * eighth + np.float32(1 / 24)
    total = total * eighth + np.float32(1 / 6)
    total = total * eighth + _HALF
    total = total * eighth + _ONE
    total = total * eighth + _ONE
    total = total * total
    total = total * total
    return total * total


@compiled
def write_invoices(law: GrantLaw, levels: Floats) -> None:
    """Turn one provider's levels, float32 [steps, n], into what is invoiced in each month: of the month before's
    usage what no grant has paid, soonest expiry first."""
    paths = levels.shape[1]
    left = np.empty((law.remaining.shape[0], paths), np.float32)
    for grant in range(left.shape[0]):
        left[grant] = np.float32(law.remaining[grant])
    before, unpaid = np.zeros(paths, np.float32), np.empty(paths, np.float32)
    for step in range(levels.shape[0]):
        months, usage = levels[step], np.float32(law.usage[step])
        for i in range(paths):
            unpaid[i] = months[i] * usage
        for grant in range(left.shape[0]):
            in_time = np.float32(law.usage_before_expiry[grant, step])
            if in_time > 0.0:
                of_grant = left[grant]
                for i in range(paths):
                    # What earlier grants paid of this month lies before their expiry, so before this one's too.
                    drawn = months[i] * in_time - (months[i] * usage - unpaid[i])
                    drawn = min(max(drawn, np.float32(0.0)), of_grant[i])
                    of_grant[i] -= drawn
                    unpaid[i] -= drawn
        if step == 0:
            for i in range(paths):
                unpaid[i] += np.float32(law.unbilled)
        for i in range(paths):
            months[i] = before[i]
            # Usage less what a grant covered of it may come out a rounding below zero.
            before[i] = max(unpaid[i], np.float32(0.0))


@compiled
def add_lumps(
    into: SingleAmounts,
    first: int,
    counts: NDArray[np.int32],
    times: Floats,
    choices: Floats,
    spreads: Floats,
    sizes: Floats,
    log_sd: float,
    first_index: int,
    exposed_days: int,
) -> None:
    """Add the lumps of one stream: counts int32 [paths]; times, choices, spreads float32 [paths, slots]."""
    days, kinds, spread = np.float32(exposed_days), np.float32(sizes.shape[0]), np.float32(log_sd)
    for i in range(into.held.shape[0]):
        path = first + i
        place = into.starts[i] + into.held[i]
        for n in range(counts[path]):
            # A uniform just below one, times a large count, rounds up to the count in float32.
            day = first_index + int(min(times[path, n] * days, days - _HALF))
            amount = sizes[int(min(choices[path, n] * kinds, kinds - _HALF))]
            if log_sd > 0.0:
                amount *= np.float32(math.exp(spread * spreads[path, n]))
            into.day_indexes[place] = day
            into.amounts[place] = amount
            place += 1
        into.held[i] += counts[path]


@compiled
def add_payments(
    into: SingleAmounts, first: int, day_indexes: NDArray[np.int32], amount: float, horizon_days: int
) -> None:
    """Add one amount per path on its day, int32 [paths]; where that is the horizon or later it never comes."""
    for i in range(into.held.shape[0]):
        day = day_indexes[first + i]
        if day < horizon_days:
            place = into.starts[i] + into.held[i]
            into.day_indexes[place] = day
            into.amounts[place] = np.float32(amount)
            into.held[i] += 1


@compiled
def walk_paths(
    first: int,
    terms: DayTerms,
    opening_balance: float,
    zero: float,
    levels: Floats,
    noise: Floats,
    persistent: Floats,
    singles: SingleAmounts,
    funding: SingleAmounts,
    turned: Turned,
    found: Found,
) -> bool:
    """Walk a range of paths day by day and write what was found; False when a balance overflowed.

    Paths that are at zero in all worlds are left there, unless they are charted.

    Args:
        zero: balances at or below it count as zero.
        levels: float32 [rows, steps, n].
        noise: float32 [chunks, horizon or more, LANES], daily shocks of unit variance.
        persistent: float32 [paths], one shock for all days of a path.
    """
    horizon, worlds, paths = terms.noise_sd.shape[0], turned.amounts.shape[0], singles.held.shape[0]
    flows, funds = np.empty((horizon, LANES), np.float32), np.empty((horizon, LANES), np.float32)
    balance_of_lanes = np.empty(LANES)
    opened_of_lanes, moved_of_lanes = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    low, never = np.float32(zero), np.int32(horizon + 1)
    at_first = np.int32(1) if opening_balance <= zero else never
    finite = True
    for begin in range(0, paths, LANES):
        lanes = min(LANES, paths - begin)
        place = first + begin
        shown = min(max(found.balances.shape[1] - place, 0), lanes)
        balance, opened, moved = balance_of_lanes[:lanes], opened_of_lanes[:lanes], moved_of_lanes[:lanes]
        _write_noise(terms, noise[place // LANES], persistent[place : place + lanes], flows)
        _add_singles(singles, begin, lanes, flows)
        funds[:] = np.float32(0.0)
        _add_singles(funding, begin, lanes, funds)
        runway = found.runway[place : place + lanes]
        runway[:] = at_first
        found.turned[:, place : place + lanes] = at_first
        balance[:] = opening_balance
        for step in range(terms.starts.shape[0]):
            moved[:] = np.float32(0.0)
            opened[:] = balance
            start, stop = terms.starts[step], terms.stops[step]
            for t in range(start, stop):
                flow, fixed = flows[t, :lanes], np.float32(terms.fixed[t])
                for k in range(terms.first_row[t], terms.first_row[t + 1]):
                    _add_row(terms.per_row[k], levels[terms.rows[k], step, begin : begin + lanes], flow)
                if shown > 0 and t < found.flows.shape[0]:
                    before = terms.fixed[t - 1] if t > start else 0.0
                    of_day = np.float32(terms.fixed[t] - before)
                    _copy(flow[:shown], of_day, found.flows[t, place : place + shown])
                _close_day(opened, moved, flow, funds[t, :lanes], fixed, low, np.int32(t + 1), runway)
                for world in range(worlds):
                    _note_zeros_turned(
                        flow,
                        turned.day_indexes[world, place : place + lanes],
                        turned.amounts[world, place : place + lanes],
                        low,
                        np.int32(t + 1),
                        found.turned[world, place : place + lanes],
                    )
                if shown > 0:
                    _copy(flow[:shown], np.float32(0.0), found.balances[t, place : place + shown])
            for i in range(lanes):
                balance[i] += terms.fixed_totals[step] + moved[i]
            if shown == 0 and runway.max() < never and _latest(found.turned, place, lanes) < never:
                break
        for i in range(lanes):
            finite = finite and math.isfinite(balance[i])
    return finite


@compiled
def _add_row(per_row: np.float32, row: Floats, flow: Floats) -> None:
    for i in range(flow.shape[0]):
        flow[i] += per_row * row[i]


@compiled
def _close_day(
    opened: Floats,
    moved: Floats,
    flow: Floats,
    fund: Floats,
    fixed: np.float32,
    zero: np.float32,
    day: np.int32,
    runway: NDArray[np.int32],
) -> None:
    """Turn the day's flow into its closing balance, and note who is at zero for the first time: days come in
    order, so a day that stands there already is earlier."""
    for i in range(flow.shape[0]):
        moved[i] += flow[i] + fund[i]
        flow[i] = opened[i] + (moved[i] + fixed)
        runway[i] = min(runway[i], day if flow[i] <= zero else runway[i])


@compiled
def _note_zeros_turned(
    balance: Floats,
    since: NDArray[np.int32],
    otherwise: Floats,
    zero: np.float32,
    day: np.int32,
    runway: NDArray[np.int32],
) -> None:
    for i in range(balance.shape[0]):
        there = balance[i] + (otherwise[i] if since[i] < day else np.float32(0.0))
        runway[i] = min(runway[i], day if there <= zero else runway[i])


@compiled
def _copy(source: Floats, more: np.float32, target: Floats) -> None:
    for i in range(source.shape[0]):
        target[i] = source[i] + more


@compiled
def _latest(runways: NDArray[np.int32], place: int, lanes: int) -> int:
    latest = 0
    for world in range(runways.shape[0]):
        latest = max(latest, int(runways[world, place : place + lanes].max()))
    return latest


@compiled
def _write_noise(terms: DayTerms, noise: Floats, persistent: Floats, flows: Floats) -> None:
    lanes = persistent.shape[0]
    for t in range(flows.shape[0]):
        sd, shared_sd, flow, shocks = terms.noise_sd[t], terms.persistent_sd[t], flows[t, :lanes], noise[t, :lanes]
        if shared_sd > 0.0:
            for i in range(lanes):
                flow[i] = sd * shocks[i] + shared_sd * persistent[i]
        elif sd > 0.0:
            for i in range(lanes):
                flow[i] = sd * shocks[i]
        else:
            flow[:] = np.float32(0.0)


@compiled
def _add_singles(singles: SingleAmounts, begin: int, lanes: int, flows: Floats) -> None:
    for i in range(lanes):
        start = singles.starts[begin + i]
        for place in range(start, start + singles.held[begin + i]):
            flows[singles.day_indexes[place], i] += singles.amounts[place]
