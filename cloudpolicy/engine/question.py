"""What a policy wants of one group: everything that decides about it, and what has to be said of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from cloudpolicy.engine.band import Band
from cloudpolicy.engine.exclusion import Exclusion
from cloudpolicy.engine.filter import Filter, Left
from cloudpolicy.engine.fleet import Fleet
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.history import History
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.resources import rule_of
from cloudpolicy.engine.target import goal_of, lifted, target_of


@dataclass(frozen=True, slots=True)
class Said:
    """What deciding about groups left to say.

    Attributes:
        reasons: each with the place of its group.
        ends: when something that keeps a group as it is ends; None where nobody knows.
    """

    reasons: list[tuple[int, Reason]] = field(default_factory=list)
    ends: list[datetime | None] = field(default_factory=list)

    def add(self, place: int, found: Left | Exclusion) -> None:
        self.reasons.append((place, found.reason))
        self.ends.append(found.until)

    def in_order(self) -> list[Reason]:
        """As the groups were found."""
        return [reason for _, reason in sorted(self.reasons, key=lambda each: each[0])]


@dataclass(frozen=True, slots=True)
class Question:
    """A policy, asked about groups."""

    policy: Policy
    band: Band
    history: History
    local_now: datetime
    filters: Sequence[Filter]

    def concerns(self, group: Group) -> bool:
        """Whether there is anything to say; else it is somebody else's group."""
        return group.opted_in or group.environment in self.policy.environments

    def left(self, group: Group) -> Left | None:
        return left_alone(group, self.policy, self.local_now, self.filters)

    def decide(self, group: Group, place: int, said: Said) -> Target | None:
        """What a group should become; None when the policy leaves it alone, or has nothing to say about it."""
        if not self.concerns(group):
            return None
        left = self.left(group)
        if left is not None:
            said.add(place, left)
            return None
        excluded = self.history.exclusion_at(group.key, now=self.local_now)
        if excluded is not None and not excluded.only_growth:
            said.add(place, excluded)
            return None
        target = target_of(group=group, policy=self.policy, band=self.band, history=self.history)
        floor = self.policy.floor_of(group.environment, group.name)
        if (
            excluded is not None
            and isinstance(target, Target)
            and target.capacity.desired > max(group.capacity.desired, floor)
        ):
            said.add(place, excluded)
            target = replace(target, capacity=lifted(group.capacity, floor), spot=None)
        if isinstance(target, Reason):
            said.reasons.append((place, target))
            return None
        return target if group.opted_in else None

    def goal(self, group: Group) -> Target | None:
        """What all groups of a kind should be that are let pass, and of which nothing is said by name or key."""
        goal = goal_of(group=group, policy=self.policy, band=self.band, history=self.history)
        return goal if isinstance(goal, Target) and group.opted_in else None

    def told_apart(self, fleet: Fleet) -> frozenset[int]:
        """Places of the groups that have to be asked about one by one, because something is said of them alone."""
        history = self.history
        apart = fleet.told_apart(names=self.policy.groups, keys=chain(history.suspended, history.exclusions))
        if not history.sizes:
            return apart
        # A size counts only where no rule speaks of the environment.
        sized = fleet.told_apart(names=(), keys=history.sizes)
        by_place = {place: fleet.groups[place].environment for place in sized}
        without_rule = {each for each in set(by_place.values()) if rule_of(self.policy, self.band, each) is None}
        return apart | {place for place, environment in by_place.items() if environment in without_rule}


def left_alone(group: Group, policy: Policy, local_now: datetime, filters: Sequence[Filter]) -> Left | None:
    """Why a group is left alone, whatever the runway."""
    for each in filters:
        left = each.judge(group, policy, local_now)
        if left is not None:
            return left
    return None
