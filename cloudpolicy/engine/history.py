"""What the policy remembers from one decision to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.exclusion import Exclusion, Place
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.resource import Held
from cloudpolicy.engine.standing import Standing


@dataclass(frozen=True, slots=True)
class JournalledSize:
    """What a group was before the policy first shrank it.

    Attributes:
        on_demand_percent: of a mixed-instances group while spot was on; None where that was not kept.
    """

    capacity: Capacity
    spot: bool | None
    on_demand_percent: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Memory of the past decisions.

    Attributes:
        standing: where the last decision on a trusted forecast left the ladder.
        sizes: by `Group.key`, sizes to return to.
        held: what stands still because a plan stopped it.
        suspended: by `Group.key`, processes that stand still because a plan suspended them.
        exclusions: by place, what is left alone because of what a person did.
    """

    standing: Standing = field(default_factory=Standing)
    sizes: Mapping[tuple[str, str, str], JournalledSize] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    suspended: Mapping[Place, frozenset[str]] = field(default_factory=dict)
    exclusions: Mapping[Place, Exclusion] = field(default_factory=dict)

    def size_of(self, group: Group) -> JournalledSize | None:
        return self.sizes.get(group.key)

    def suspended_in(self, group: Group) -> frozenset[str]:
        """Processes of a group that are the policy's to resume."""
        return self.suspended.get(group.key, frozenset())

    def exclusion_at(self, place: Place, *, now: datetime) -> Exclusion | None:
        """The one that counts now; None without any."""
        found = self.exclusions.get(place)
        return found if found is not None and now < found.until else None
