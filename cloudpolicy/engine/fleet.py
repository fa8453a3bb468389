"""All groups that were found, prepared once for any number of policies and forecasts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from cloudpolicy.engine.action import Action
from cloudpolicy.engine.capacity import capacity_problems
from cloudpolicy.engine.exclusion import Place
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.kind import Kind
from cloudpolicy.engine.proposals import Proposals


@dataclass(frozen=True, slots=True)
class Fleet:
    """Groups with what every evaluation would find out about them anew.

    Attributes:
        groups: as they were found.
        kinds: the groups by their kind. A policy decides about a kind once.
        ranks: of each group, where it stands in the order in which a plan goes through those that grow, or those
            that shrink: by region and name.
        has_opted_in: whether any group carries the opt-in tag.
        by_name: places of the groups of a name, in any account and region.
        by_key: places of the groups of a key: one, unless somebody described it twice.
        proposed: what actions have proposed already, by the actions. It grows with every target that is not equal
            to an earlier one, so a fleet is for one piece of work and is not kept.
    """

    groups: tuple[Group, ...]
    kinds: tuple[Kind, ...]
    ranks: tuple[int, ...]
    has_opted_in: bool
    by_name: Mapping[str, tuple[int, ...]]
    by_key: Mapping[Place, tuple[int, ...]]
    proposed: dict[tuple[Action, ...], Proposals] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, groups: Iterable[Group]) -> "Fleet":
        """The fleet of these groups, in their order."""
        found = tuple(groups)
        ranks = _ranks(found)
        by_name: dict[str, tuple[int, ...]] = {}
        by_key: dict[Place, tuple[int, ...]] = {}
        alike: dict[tuple[object, ...], list[int]] = {}
        for place, group in enumerate(found):
            name, key = group.name, group.key
            by_name[name] = (*by_name[name], place) if name in by_name else (place,)
            by_key[key] = (*by_key[key], place) if key in by_key else (place,)
            is_possible = not capacity_problems(group.capacity)
            kind = (group.environment, group.opted_in, group.suspended, is_possible, type(group.market))
            alike.setdefault(kind, []).append(place)
        kinds = tuple(
            Kind(tuple(found[place] for place in places), tuple(places), tuple(ranks[place] for place in places))
            for places in alike.values()
        )
        return cls(found, kinds, ranks, any(group.opted_in for group in found), by_name, by_key)

    def told_apart(self, *, names: Iterable[str], keys: Iterable[Place]) -> frozenset[int]:
        """Places of the groups about which something is said by name or key."""
        named = (self.by_name.get(name, ()) for name in names)
        keyed = (self.by_key.get(key, ()) for key in keys)
        return frozenset(chain.from_iterable(chain(named, keyed)))

    def proposals(self, actions: Sequence[Action]) -> Proposals:
        """What these actions propose to these groups, in this order of the actions."""
        speakers = tuple(action for action in actions if action.resources is None)
        found = self.proposed.get(speakers)
        if found is None:
            found = self.proposed[speakers] = Proposals(speakers, Followers.of(self.groups))
        return found


def _ranks(groups: Sequence[Group]) -> tuple[int, ...]:
    order = sorted(range(len(groups)), key=lambda place: (groups[place].region, groups[place].name))
    ranks = [0] * len(groups)
    for rank, place in enumerate(order):
        ranks[place] = rank
    return tuple(ranks)
