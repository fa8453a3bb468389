"""Groups of one kind, side by side: what is decided about one of them holds for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.group import Group

# What each group becomes, by the number of instances that it wants now. Groups of a kind that want as many now
# become the same, however far a plan may go at once.
Becomes = Mapping[int, Capacity]


@dataclass(frozen=True)
class Kind:
    """Groups that filters and targets can only tell apart by what is said of one by name or key.

    They have their environment in common, whether they are opted in, which processes stand still, whether AWS
    could have given them their size, and in which way they buy instances. All sequences are in the order in which
    the groups were found.

    Attributes:
        places: of the groups in their fleet.
        ranks: where each stands in the order in which a plan goes through groups.
    """

    groups: tuple[Group, ...]
    places: tuple[int, ...]
    ranks: tuple[int, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(group.name for group in self.groups)

    @cached_property
    def regions(self) -> tuple[str, ...]:
        return tuple(group.region for group in self.groups)

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        return tuple(group.account for group in self.groups)

    @cached_property
    def desired(self) -> tuple[int, ...]:
        """Instances that each wants now."""
        return tuple(group.capacity.desired for group in self.groups)

    @cached_property
    def sizes(self) -> Sequence[Mapping[str, int]]:
        """The size of each now, as a call says it; equal sizes are one mapping, which nobody changes."""
        known: dict[tuple[int, int, int], Mapping[str, int]] = {}
        found = []
        for group in self.groups:
            size = group.capacity
            figures = (size.min, size.max, size.desired)
            found.append(known.get(figures) or known.setdefault(figures, size.as_dict()))
        return found

    def become(self, capacity: Capacity) -> Becomes:
        """All of them become the same."""
        return dict.fromkeys(self.desired, capacity)
