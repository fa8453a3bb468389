"""Where a company stands on the ladder, and how a forecast moves it: not at once, and not to and fro.

A row moves when `dwell_forecasts` forecasts in a row say so. An environment that has moved does not turn round
before its cooldown is over; going further the same way is not turning round, so a falling runway is never waited
for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cloudpolicy.engine.band import Band, band_at
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason

SHRINKS, GROWS = -1, 1


@dataclass(frozen=True, slots=True)
class Turn:
    """When an environment last moved, and which way."""

    at: datetime
    direction: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Memory of the ladder.

    Attributes:
        rows_in_force: names of rows.
        waiting: by row, how many forecasts in a row have asked for it to come into force or to be left.
        turns: by environment, its last move.
        counted_run: the last forecast run that was counted; looked at again it does not count again.
    """

    rows_in_force: frozenset[str] = frozenset()
    waiting: Mapping[str, int] = field(default_factory=dict)
    turns: Mapping[str, Turn] = field(default_factory=dict)
    counted_run: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a forecast did to the ladder.

    Attributes:
        band: the rows in force now.
        standing: what to remember if the forecast may be acted on.
        waits: why a row that p5 asks for has not moved yet.
        look_again_at: when time alone would move one; None when it would not.
    """

    band: Band
    standing: Standing
    waits: tuple[Reason, ...] = ()
    look_again_at: datetime | None = None


def step(*, policy: Policy, p5_days: float, forecast_run: int | None, standing: Standing, now: datetime) -> Step:
    """Let one forecast move the ladder.

    Args:
        p5_days: a finite number of days.
    """
    rows = {row.name: row for row in policy.rows}
    current = standing.rows_in_force & rows.keys()
    asked = frozenset(band_at(policy=policy, p5_days=p5_days, rows_in_force=current).row_names)
    counted_before = forecast_run is not None and forecast_run == standing.counted_run
    waiting = {}
    for name in sorted(asked ^ current):
        seen = standing.waiting.get(name, 0)
        waiting[name] = max(1, seen) if counted_before else seen + 1
    due = {name for name, count in waiting.items() if count >= policy.pace.dwell_forecasts}
    in_force, turns = set(current), dict(standing.turns)
    waits = [_dwells(name, count, policy) for name, count in waiting.items() if name not in due]
    look_again_at: datetime | None = None
    for environment in sorted({rows[name].environment for name in due}):
        moving = {name for name in due if rows[name].environment == environment}
        moved = in_force ^ moving
        direction = _direction(environment, policy, before=in_force, after=moved)
        turn = turns.get(environment)
        if turn is not None and direction == -turn.direction and now < turn.at + policy.pace.cooldown:
            free_at = turn.at + policy.pace.cooldown
            waits.append(
                Reason("cooldown", f"{environment} does not turn round before {free_at:%Y-%m-%d %H:%M} UTC")
            )
            look_again_at = min(free_at, look_again_at or free_at)
            continue
        in_force = moved
        for name in moving:
            del waiting[name]
        if direction:
            turns[environment] = Turn(now, direction)
    return Step(
        Band.of(rows[name] for name in in_force),
        Standing(frozenset(in_force), waiting, turns, forecast_run),
        tuple(waits),
        look_again_at,
    )


def _direction(environment: str, policy: Policy, *, before: set[str], after: set[str]) -> int:
    """Whether an environment gets less, more or the same: a lower threshold is the severer row."""
    severity = [
        min(
            (row.below_days for row in policy.rows if row.environment == environment and row.name in names),
            default=None,
        )
        for names in (before, after)
    ]
    was, becomes = (float("inf") if days is None else days for days in severity)
    if was == becomes:
        return 0
    return SHRINKS if becomes < was else GROWS


def _dwells(name: str, count: int, policy: Policy) -> Reason:
    wanted = policy.pace.dwell_forecasts
    return Reason("dwell", f"{name} waits: {count} of {wanted} forecasts in a row ask for another size")
