"""From a company and the changes of a scenario to the inputs of one simulation.

What settles on a later day splits the horizon there: before it the drivers speak about the company as it was, from
it on about the company as it will be.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.assembly import Part, assemble
from forecasting.drivers.contribution import Contribution, Setting
from forecasting.drivers.registry import all_drivers
from forecasting.kernel.expected_lumps import expected_lumps
from forecasting.kernel.inputs import Factor, ForecastInputs, LumpStream
from forecasting.scenarios.change import Change, Inapplicable, InvalidScenario, Told
from forecasting.scenarios.income import gross_income
from forecasting.scenarios.scenario import in_order
from ledger.domain.flows import day_number
from ledger.domain.problems import FieldProblem

Floats = NDArray[np.float64]


def changed_inputs(setting: Setting, changes: Sequence[Change]) -> ForecastInputs:
    """What is simulated once every change is made; without changes, exactly what the forecast simulates.

    Args:
        changes: in any order; problems name them by their place in it.

    Raises:
        InvalidScenario: naming the changes and fields that do not fit this company.
    """
    problems: list[FieldProblem] = []
    unfit: list[Change] = []
    place = {id(each): n for n, each in enumerate(changes)}
    ordered = in_order(changes)
    at_once, later = _by_day(setting, ordered)
    known = _settled(setting, at_once, place, problems, unfit)
    told = _told(known)
    for day in sorted({first for first, _ in later}):
        known = _settled(known, [each for first, each in later if first == day], place, problems, unfit)
        if day <= setting.horizon_days:
            told = _from_day(told, _told(known), day=day, horizon_days=setting.horizon_days)
    for each in ordered:
        try:
            told = told if each in unfit else each.turn(told, known)
        except Inapplicable as error:
            problems.append(_placed(error, place[id(each)]))
    if problems:
        raise InvalidScenario(tuple(problems))
    parts = tuple(
        Part(driver=driver, contribution=contribution)
        for driver in all_drivers()
        if not (contribution := told.contributions[driver.name]).is_empty
    )
    return assemble(known, parts)


def _by_day(setting: Setting, ordered: Sequence[Change]) -> tuple[list[Change], list[tuple[int, Change]]]:
    """What is in force from day 1, and what settles on a later day of the forecast or beyond it."""
    at_once, later = [], []
    for each in ordered:
        start = each.in_force_from()
        day = 1 if start is None else setting.days_ahead(day_number(start))
        if day <= 1:
            at_once.append(each)
        else:
            later.append((day, each))
    return at_once, later


def _settled(
    setting: Setting,
    changes: Sequence[Change],
    place: dict[int, int],
    problems: list[FieldProblem],
    unfit: list[Change],
) -> Setting:
    for each in changes:
        try:
            setting = each.settle(setting)
        except Inapplicable as error:
            unfit.append(each)
            problems.append(_placed(error, place[id(each)]))
    return setting


def _placed(error: Inapplicable, n: int) -> FieldProblem:
    return FieldProblem(f"changes[{n}].{error.field}", error.message)


def _told(setting: Setting) -> Told:
    return Told(
        contributions={driver.name: driver.contribute(setting) for driver in all_drivers()},
        gross=gross_income(setting),
    )


def _from_day(before: Told, after: Told, *, day: int, horizon_days: int) -> Told:
    later = np.arange(1, horizon_days + 1) >= day
    none = np.zeros(horizon_days)
    names = dict.fromkeys((*before.gross, *after.gross))
    return Told(
        contributions={
            name: _blended(before.contributions[name], after.contributions[name], later=later)
            for name in before.contributions
        },
        gross={name: np.where(later, after.gross.get(name, none), before.gross.get(name, none)) for name in names},
    )


def _blended(before: Contribution, after: Contribution, *, later: NDArray[np.bool_]) -> Contribution:
    """`before` until the day, `after` from it on. What is owed on the as-of date stays what it was."""
    none = np.zeros(len(later))
    lumps, more = _lumps(before, after, later=later)
    fixed = np.where(
        later,
        none if after.fixed is None else after.fixed,
        none if before.fixed is None else before.fixed,
    )
    fixed = fixed + more
    share = float(later.mean())
    return Contribution(
        factors=_factors(before.factors, after.factors, later=later),
        opening=before.opening,
        fixed=None if before.fixed is None and not fixed.any() else fixed,
        shock_variance=np.where(later, after.shock_variance, before.shock_variance),
        persistent_sd=before.persistent_sd * (1.0 - share) + after.persistent_sd * share,
        lump_streams=lumps,
        # These carry dates of their own.
        dated_lumps=after.dated_lumps,
        tranches=after.tranches,
        cloud=tuple(
            replace(
                old,
                usage=replace(old.usage, daily=np.where(later, new.usage.daily, old.usage.daily)),
            )
            for old, new in zip(before.cloud, after.cloud, strict=True)
        ),
    )


def _factors(
    before: tuple[Factor, ...], after: tuple[Factor, ...], *, later: NDArray[np.bool_]
) -> tuple[Factor, ...]:
    old, new = {each.name: each for each in before}, {each.name: each for each in after}
    none = np.zeros(len(later))

    def daily(factors: dict[str, Factor], name: str) -> Floats:
        return factors[name].daily if name in factors else none

    return tuple(
        replace(new.get(name) or old[name], daily=np.where(later, daily(new, name), daily(old, name)))
        for name in dict.fromkeys((*old, *new))
    )


def _lumps(
    before: Contribution, after: Contribution, *, later: NDArray[np.bool_]
) -> tuple[tuple[LumpStream, ...], Floats]:
    """The lumps as before, and per day what the later ones are expected to come to beyond them.

    A stream has one law over the whole horizon: a later change moves its mean, and leaves its spread.
    """
    more = np.zeros(len(later))
    for streams, sign in ((after.lump_streams, 1.0), (before.lump_streams, -1.0)):
        for each in streams:
            more += sign * expected_lumps(each, days=len(later))
    return before.lump_streams, np.where(later, more, 0.0)
