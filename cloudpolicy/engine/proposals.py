"""What actions propose to groups, remembered: policies that want the same share its calls.

Actions are put to all groups of a kind at once. Most look at little of a target: turning spot off is the same
request whatever the group's size becomes. What they said for one target is said again for the next one that agrees
with it in that; only the row that asks for it is put anew.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import add

from cloudpolicy.engine.action import Action
from cloudpolicy.engine.call import ApiCall, asked_for_by
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.kind import Becomes, Kind
from cloudpolicy.engine.reason import Reason

Calls = tuple[ApiCall, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """What is proposed to the groups of a kind, in their order.

    Attributes:
        calls: on each group, in the order in which they would be made.
        grows: whether each group gets more instances.
        warnings: by position, of the few groups about which there are any.
    """

    calls: Sequence[Calls]
    grows: Sequence[bool]
    warnings: Mapping[int, tuple[Reason, ...]]


@dataclass(frozen=True, slots=True)
class _Said:
    """What one action says to a kind, and for the sake of which row."""

    because: str
    calls: Sequence[Calls]
    warnings: Mapping[int, tuple[Reason, ...]]


@dataclass(frozen=True, slots=True)
class Proposals:
    """Asks actions, each about the same thing once."""

    actions: tuple[Action, ...]
    followers: Followers
    to_kinds: dict[Hashable, Proposed] = field(default_factory=dict)
    to_groups: dict[tuple[int, Target], tuple[Calls, tuple[Reason, ...]]] = field(default_factory=dict)
    said: dict[Hashable, _Said] = field(default_factory=dict)

    def to_group(self, group: Group, place: int, target: Target) -> tuple[Calls, tuple[Reason, ...]]:
        """Calls on one group, and what is left to a person."""
        found = self.to_groups.get((place, target))
        if found is None:
            said = [
                action.propose(group, target, self.followers) for action in self.actions if action.speaks(target)
            ]
            found = (
                tuple(call for proposal in said for call in proposal.calls),
                tuple(warning for proposal in said for warning in proposal.warnings),
            )
            self.to_groups[place, target] = found
        return found

    def to_kind(self, kind: Kind, target: Target, becomes: Becomes, key: Hashable) -> Proposed:
        """Calls on all groups of a kind, as if each had been asked about alone.

        Args:
            target: what holds for each, but for its size.
            becomes: the size.
            key: equal where all of these are equal.
        """
        found = self.to_kinds.get(key)
        if found is None:
            found = self.to_kinds[key] = self._ask(kind, target, becomes)
        return found

    def _ask(self, kind: Kind, target: Target, becomes: Becomes) -> Proposed:
        calls: Sequence[Calls] = ()
        warnings: dict[int, tuple[Reason, ...]] = {}
        for action in self.actions:
            if not action.speaks(target):
                continue
            said = self._what(action, kind, target, becomes)
            calls = list(map(add, calls, said.calls)) if calls else said.calls
            for position, about in said.warnings.items():
                warnings[position] = warnings.get(position, ()) + about
        grows = {now: size.desired > now for now, size in becomes.items()}
        return Proposed(calls or [()] * len(kind.groups), [grows[now] for now in kind.desired], warnings)

    def _what(self, action: Action, kind: Kind, target: Target, becomes: Becomes) -> _Said:
        if action.propose_sizes is not None:
            return _Said(target.because, action.propose_sizes(kind, becomes, target.because), {})
        if action.heeds is None:
            return self._each(action, kind, target, becomes)
        heeded = (action.name, kind.places[0], action.heeds(kind, target))
        found = self.said.get((heeded, target.because))
        if found is None:
            first = self.said.get(heeded)
            if first is None:
                found = self.said[heeded] = self._each(action, kind, target, becomes)
            else:
                found = _Said(target.because, asked_for_by(target.because, first.calls), first.warnings)
            self.said[heeded, target.because] = found
        return found

    def _each(self, action: Action, kind: Kind, target: Target, becomes: Becomes) -> _Said:
        """What it proposes to one group after the other."""
        if action.propose_to_kind is not None:
            return _Said(target.because, *action.propose_to_kind(kind, target))
        targets = {now: replace(target, capacity=size) for now, size in becomes.items()}
        followers, propose = self.followers, action.propose
        said = [propose(group, targets[group.capacity.desired], followers) for group in kind.groups]
        warnings = {position: each.warnings for position, each in enumerate(said) if each.warnings}
        return _Said(target.because, [each.calls for each in said], warnings)
