"""A policy run over a series of forecasts, as if every plan had been applied at once. Nothing is called.

The groups begin as they are given, with their owner's sizes; the policy changes them on paper. What it saves is
told against the same groups left alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cloudpolicy.engine.band import Band
from cloudpolicy.engine.filter import Filter
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.history import History, JournalledSize
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.quiet import quiet_now
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.standing import Standing, Turn, step
from cloudpolicy.engine.target import RESTORED, target_of

YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Said:
    """One forecast of the series.

    Attributes:
        at: when it was published, aware UTC.
    """

    at: datetime
    run: int
    p5_days: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time between two decisions.

    Attributes:
        p5_days: of the forecast in force.
        instances: over all groups of the policy, after the decision.
        left_alone: what they would be without the policy.
    """

    start: datetime
    stop: datetime
    p5_days: float
    band: str
    instances: int
    left_alone: int
    is_below_floor: bool


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a policy would have done.

    Attributes:
        moves: how often an environment moved on the ladder.
        flaps: how often one turned round, i.e. moved the other way than the time before.
        resizes: how often a group was given another size.
        days_in_band: by name of the band.
        instance_hours_saved: against the groups left alone; negative when the policy runs more of them.
    """

    stretches: tuple[Stretch, ...]
    moves: int
    flaps: int
    resizes: int
    days_in_band: Mapping[str, float]
    minutes_below_floor: float
    instance_hours_saved: float

    @property
    def length(self) -> timedelta:
        return sum((each.stop - each.start for each in self.stretches), timedelta(0))

    @property
    def flaps_per_year(self) -> float | None:
        """None for a series that takes no time."""
        length = self.length
        return self.flaps * (YEAR / length) if length else None


def replay(
    *,
    policy: Policy,
    groups: Sequence[Group],
    said: Sequence[Said],
    until: datetime,
    timezone: str,
    filters: Sequence[Filter],
) -> Replayed:
    """Run a policy over forecasts in the order of their time.

    Between two forecasts it decides again when time alone would let it: a cooldown or quiet hours end, or a step
    is followed by the next one a day later.

    Args:
        groups: as they are without the policy.
        until: when the last forecast stops counting.
        timezone: of the company.
        filters: what may leave a group alone, in their order.
    """
    run = _Run(policy, [group for group in groups if group.opted_in], ZoneInfo(timezone), tuple(filters))
    ends = [each.at for each in said[1:]] + [until]
    for each, end in zip(said, ends, strict=True):
        start = each.at
        while start < end:
            again = run.decide(each, start)
            stop = end if again is None or again <= start else min(again, end)
            run.pass_time(each, start, stop)
            start = stop
    return run.told()


@dataclass(slots=True)
class _Run:
    """A replay under way."""

    policy: Policy
    groups: list[Group]
    zone: ZoneInfo
    filters: tuple[Filter, ...]
    history: History = field(default_factory=History)
    band: Band = field(default_factory=lambda: Band(()))
    begun_with: list[Group] = field(init=False)
    stretches: list[Stretch] = field(default_factory=list)
    moves: int = 0
    flaps: int = 0
    resizes: int = 0
    is_settled: bool = False

    def __post_init__(self) -> None:
        known = self.policy.environments
        self.groups = sorted(
            (group for group in self.groups if group.environment in known), key=lambda group: group.name
        )
        self.begun_with = list(self.groups)

    def decide(self, said: Said, now: datetime) -> datetime | None:
        """Let the ladder move and the groups follow. Returns when to look again without a new forecast."""
        local_now = now.astimezone(self.zone)
        quiet = quiet_now(quiet=self.policy.quiet, local_now=local_now)
        if quiet is not None:
            return quiet[1]
        standing = self.history.standing
        moved = step(policy=self.policy, p5_days=said.p5_days, forecast_run=said.run, standing=standing, now=now)
        self._count(standing, moved.standing)
        self.history = replace(self.history, standing=moved.standing)
        if moved.band != self.band or not self.is_settled:
            self.band = moved.band
            next_look = self._follow(local_now)
            ends = [end for end in (moved.look_again_at, next_look) if end is not None]
            return min(ends, default=None)
        return moved.look_again_at

    def pass_time(self, said: Said, start: datetime, stop: datetime) -> None:
        floors = (self.policy.floor_of(group.environment, group.name) for group in self.groups)
        self.stretches.append(
            Stretch(
                start=start,
                stop=stop,
                p5_days=said.p5_days,
                band=self.band.name,
                instances=sum(group.capacity.desired for group in self.groups),
                left_alone=sum(group.capacity.desired for group in self.begun_with),
                is_below_floor=any(
                    min(group.capacity.min, group.capacity.desired) < floor
                    for group, floor in zip(self.groups, floors, strict=True)
                ),
            )
        )

    def told(self) -> Replayed:
        days_in_band: dict[str, float] = {}
        for each in self.stretches:
            days = (each.stop - each.start) / timedelta(days=1)
            days_in_band[each.band] = days_in_band.get(each.band, 0.0) + days
        return Replayed(
            stretches=tuple(self.stretches),
            moves=self.moves,
            flaps=self.flaps,
            resizes=self.resizes,
            days_in_band=days_in_band,
            minutes_below_floor=sum(
                (each.stop - each.start) / MINUTE for each in self.stretches if each.is_below_floor
            ),
            instance_hours_saved=sum(
                (each.left_alone - each.instances) * ((each.stop - each.start) / HOUR) for each in self.stretches
            ),
        )

    def _count(self, before: Standing, after: Standing) -> None:
        for environment, turn in after.turns.items():
            last: Turn | None = before.turns.get(environment)
            if turn is not last:
                self.moves += 1
                self.flaps += last is not None and last.direction != turn.direction

    def _follow(self, local_now: datetime) -> datetime | None:
        """Give every group what the ladder asks for, as far as one plan may go. Returns when to go on."""
        sizes = dict(self.history.sizes)
        most, changed, again = self.policy.limits.groups_per_plan, 0, False
        ends: list[datetime] = []
        for place, group in self._growing_first():
            left = next(
                (found for each in self.filters if (found := each.judge(group, self.policy, local_now))), None
            )
            if left is not None:
                if left.until is not None:
                    ends.append(left.until)
                continue
            target = target_of(group=group, policy=self.policy, band=self.band, history=self.history)
            if target is None or isinstance(target, Reason) or target.capacity == group.capacity:
                continue
            if most is not None and changed == most:
                again = True
                break
            changed += 1
            if target.because != RESTORED:
                sizes.setdefault(group.key, JournalledSize(group.capacity, None))
            self.groups[place] = replace(group, capacity=target.capacity)
            again = again or self.policy.limits.step_percent is not None
        self.resizes += changed
        self.history = replace(self.history, sizes=sizes)
        self.is_settled = not again and not ends
        if again:
            ends.append(local_now + timedelta(days=1))
        return min(ends, default=None)

    def _growing_first(self) -> Iterator[tuple[int, Group]]:
        def grows(pair: tuple[int, Group]) -> bool:
            target = target_of(group=pair[1], policy=self.policy, band=self.band, history=self.history)
            return not (
                target is None or isinstance(target, Reason) or target.capacity.desired <= pair[1].capacity.desired
            )

        return iter(sorted(enumerate(self.groups), key=grows, reverse=True))
