"""What the policy remembers from one decision to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.resource import Held
from cloudpolicy.engine.standing import Standing


@dataclass(frozen=True, slots=True)
class JournalledSize:
    """What a group was before the policy first shrank it."""

    capacity: Capacity
    spot: bool | None


@dataclass(frozen=True, slots=True)
class History:
    """Memory of the past decisions.

    Attributes:
        standing: where the last decision on a trusted forecast left the ladder.
        sizes: by `Group.key`, sizes to return to.
        held: what stands still because a plan stopped it.
    """

    standing: Standing = field(default_factory=Standing)
    sizes: Mapping[tuple[str, str, str], JournalledSize] = field(default_factory=dict)
    held: tuple[Held, ...] = ()

    def size_of(self, group: Group) -> JournalledSize | None:
        return self.sizes.get(group.key)
