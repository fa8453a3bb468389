"""What the policy remembers from one decision to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.group import Group


@dataclass(frozen=True, slots=True)
class JournalledSize:
    """What a group was before the policy first shrank it."""

    capacity: Capacity
    spot: bool | None


@dataclass(frozen=True, slots=True)
class History:
    """Memory of the past decisions.

    Attributes:
        rows_in_force: rows that the last decision on a trusted forecast left in force.
        sizes: by (region, group name), sizes to return to.
    """

    rows_in_force: frozenset[str] = frozenset()
    sizes: Mapping[tuple[str, str], JournalledSize] = field(default_factory=dict)

    def size_of(self, group: Group) -> JournalledSize | None:
        return self.sizes.get((group.region, group.name))
