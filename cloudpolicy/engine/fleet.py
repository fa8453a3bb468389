"""All groups that were found, prepared once for any number of policies and forecasts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from cloudpolicy.engine.action import Action, Propose
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.capacity import capacity_problems
from cloudpolicy.engine.exclusion import Place
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.reason import Reason


@dataclass(frozen=True, slots=True)
class Fleet:
    """Groups with what every evaluation would find out about them anew.

    Groups are of one kind when filters and targets can only tell them apart by what is said of one by name: by the
    policy, or by what is remembered. A policy decides about a kind once.

    Attributes:
        groups: as they were found.
        kinds: of each group, the number of its kind: groups of one have their environment in common, whether they
            are opted in, which processes stand still, and whether AWS could have given them their size.
        sized_kinds: the same where the size itself counts, as it does for a policy that goes step by step.
        order: places in `groups`, in the order in which a plan goes through those that grow, or those that shrink.
        has_opted_in: whether any group carries the opt-in tag.
        by_name: places of the groups of a name, in any account and region.
        by_key: places of the groups of a key: one, unless somebody described it twice.
        proposed: what actions have proposed already, by the actions, the target and the place. It grows with every
            target that is not equal to an earlier one, so a fleet is for one piece of work and is not kept.
    """

    groups: tuple[Group, ...]
    kinds: tuple[int, ...]
    sized_kinds: tuple[int, ...]
    order: tuple[int, ...]
    has_opted_in: bool
    by_name: Mapping[str, tuple[int, ...]]
    by_key: Mapping[Place, tuple[int, ...]]
    proposed: dict[tuple[Action, ...], "Proposals"] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, groups: Iterable[Group]) -> "Fleet":
        """The fleet of these groups, in their order."""
        found = tuple(groups)
        kinds = [
            (group.environment, group.opted_in, group.suspended, not capacity_problems(group.capacity))
            for group in found
        ]
        sized = [(*kind, group.capacity) for kind, group in zip(kinds, found, strict=True)]
        by_name: dict[str, tuple[int, ...]] = {}
        by_key: dict[Place, tuple[int, ...]] = {}
        for place, group in enumerate(found):
            by_name[group.name] = (*by_name.get(group.name, ()), place)
            by_key[group.key] = (*by_key.get(group.key, ()), place)
        order = sorted(range(len(found)), key=lambda place: (found[place].region, found[place].name))
        has_opted_in = any(group.opted_in for group in found)
        return cls(found, _numbers(kinds), _numbers(sized), tuple(order), has_opted_in, by_name, by_key)

    def told_apart(self, *, names: Iterable[str], keys: Iterable[Place]) -> frozenset[int]:
        """Places of the groups about which something is said by name or key."""
        named = (self.by_name.get(name, ()) for name in names)
        keyed = (self.by_key.get(key, ()) for key in keys)
        return frozenset(chain.from_iterable(chain(named, keyed)))

    def proposals(self, actions: Sequence[Action]) -> "Proposals":
        """What these actions propose to these groups, in this order of the actions."""
        speakers = tuple(action for action in actions if action.resources is None)
        found = self.proposed.get(speakers)
        if found is None:
            found = self.proposed[speakers] = Proposals(self.groups, speakers, Followers.of(self.groups))
        return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """A target, and what is proposed to the groups of a fleet for it: each is asked about once.

    Attributes:
        desired: instances, of the target.
        speakers: what actions propose, of those that have anything to say about the target, in their order.
        calls: by place; None where nobody asked yet (`ask`).
        warnings: by place, of the few groups about which there are any.
    """

    target: Target
    desired: int
    speakers: tuple[Propose, ...]
    calls: list[tuple[ApiCall, ...] | None]
    warnings: dict[int, tuple[Reason, ...]]
    groups: tuple[Group, ...]
    followers: Followers

    def ask(self, place: int) -> tuple[ApiCall, ...]:
        """Let the actions speak about a group, and remember it."""
        group, target, followers = self.groups[place], self.target, self.followers
        found: tuple[ApiCall, ...] = ()
        for propose in self.speakers:
            calls, warnings = propose(group, target, followers)
            found += calls
            if warnings:
                self.warnings[place] = self.warnings.get(place, ()) + warnings
        self.calls[place] = found
        return found


@dataclass(frozen=True, slots=True)
class Proposals:
    """What actions propose, remembered: equal targets of a group share their calls, whichever policy has them."""

    groups: tuple[Group, ...]
    actions: tuple[Action, ...]
    followers: Followers
    by_target: dict[Target, Wanted] = field(default_factory=dict)

    def for_target(self, target: Target) -> Wanted:
        """What was proposed for this target, and will be."""
        found = self.by_target.get(target)
        if found is None:
            found = self.by_target[target] = Wanted(
                target,
                target.capacity.desired,
                tuple(action.propose for action in self.actions if action.speaks(target)),
                [None] * len(self.groups),
                {},
                self.groups,
                self.followers,
            )
        return found


def _numbers(kinds: Iterable[tuple[object, ...]]) -> tuple[int, ...]:
    """Equal ones get equal numbers."""
    known: dict[tuple[object, ...], int] = {}
    return tuple(known.setdefault(kind, len(known)) for kind in kinds)
