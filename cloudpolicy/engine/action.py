"""What an action is: it plans calls and names the permissions they need. It never makes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.plan import ApiCall
from cloudpolicy.engine.reason import Reason


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an action would do to one group; warnings say what it leaves to a person."""

    calls: tuple[ApiCall, ...] = ()
    warnings: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of change.

    Attributes:
        order: actions on one group run in this order.
        permissions: every IAM permission that its calls, and the reading before them, need.
        propose: (group, target, all groups) -> Proposal, pure; no calls when the group is as it should be.
    """

    name: str
    order: int
    permissions: tuple[str, ...]
    propose: Callable[[Group, Target, Sequence[Group]], Proposal]
