"""What a policy wants of all groups of a fleet: decided once for each kind, and one by one where something is said
of a single group."""

from dataclasses import dataclass, field

from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.fleet import Fleet
from cloudpolicy.engine.group import Target
from cloudpolicy.engine.kind import Becomes, Kind
from cloudpolicy.engine.proposals import Proposals
from cloudpolicy.engine.question import Question, Said
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.target import within_step


@dataclass(frozen=True, slots=True)
class Wanted:
    """Calls on groups, in the order in which a plan goes through them.

    Attributes:
        growing, shrinking: by rank, calls on the groups that get more instances, and on all others.
        warnings: by whether a group grows and its rank, what is left to a person.
    """

    growing: list[tuple[ApiCall, ...]]
    shrinking: list[tuple[ApiCall, ...]]
    warnings: dict[tuple[bool, int], tuple[Reason, ...]] = field(default_factory=dict)
    said: Said = field(default_factory=Said)

    def put(self, rank: int, *, grows: bool, calls: tuple[ApiCall, ...], warnings: tuple[Reason, ...]) -> None:
        (self.growing if grows else self.shrinking)[rank] = calls
        if warnings:
            self.warnings[grows, rank] = warnings

    def left_to_a_person(self) -> list[Reason]:
        in_order = sorted(self.warnings, key=lambda each: (not each[0], each[1]))
        return [reason for each in in_order for reason in self.warnings[each]]


def wanted_of(*, question: Question, fleet: Fleet, proposals: Proposals) -> Wanted:
    """Ask a policy about every group of a fleet."""
    many = len(fleet.groups)
    wanted = Wanted([()] * many, [()] * many)
    apart = question.told_apart(fleet)
    alone = list(apart)
    for kind in fleet.kinds:
        single = next((place for place in kind.places if place not in apart), None)
        if single is None or not question.concerns(fleet.groups[single]):
            continue
        if question.left(fleet.groups[single]) is not None:
            # What is said of a group names it, so each is asked about.
            alone += [place for place in kind.places if place not in apart]
            continue
        goal = question.goal(fleet.groups[single])
        if goal is not None:
            _ask_kind(question, kind, goal, apart, proposals, wanted)
    for place in alone:
        group = fleet.groups[place]
        target = question.decide(group, place, wanted.said)
        if target is not None:
            calls, warnings = proposals.to_group(group, place, target)
            grows = target.capacity.desired > group.capacity.desired
            wanted.put(fleet.ranks[place], grows=grows, calls=calls, warnings=warnings)
    return wanted


def _ask_kind(
    question: Question, kind: Kind, goal: Target, apart: frozenset[int], proposals: Proposals, wanted: Wanted
) -> None:
    percent = question.policy.limits.step_percent
    floor = question.policy.floor_of(kind.groups[0].environment)
    proposed = proposals.to_kind(
        kind, goal, _steps(kind, goal, percent, floor), (kind.places[0], goal, percent, floor)
    )
    sides = wanted.shrinking, wanted.growing
    if not apart:
        for rank, grows, calls in zip(kind.ranks, proposed.grows, proposed.calls, strict=True):
            sides[grows][rank] = calls
    else:
        rows = zip(kind.places, kind.ranks, proposed.grows, proposed.calls, strict=True)
        for place, rank, grows, calls in rows:
            if place not in apart:
                sides[grows][rank] = calls
    for position, warnings in proposed.warnings.items():
        if kind.places[position] not in apart:
            wanted.warnings[proposed.grows[position], kind.ranks[position]] = warnings


def _steps(kind: Kind, goal: Target, percent: int | None, floor: int) -> Becomes:
    if percent is None:
        return kind.become(goal.capacity)
    return {
        now: within_step(goal.capacity, desired_now=now, percent=percent, floor=floor) for now in set(kind.desired)
    }
