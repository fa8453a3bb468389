"""What a filter is: it says why a group is left alone, whatever the runway."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cloudpolicy.engine.group import Group
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason


@dataclass(frozen=True, slots=True)
class Left:
    """A group is left alone: why, and until when if that is known. Aware UTC."""

    reason: Reason
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """One reason for leaving groups alone.

    Attributes:
        order: filters ask in this order, and the first one that has a reason speaks.
        permissions: every IAM permission that reading what it looks at needs.
        judge: (group, policy, now in the company's time zone) -> Left, or None when it lets the group pass; pure.
            It looks at what groups of one kind have in common (`engine.fleet`), and at a name where the policy
            says something of that name: once one group of a kind has passed, the others are not asked.
    """

    name: str
    order: int
    permissions: tuple[str, ...]
    judge: Callable[[Group, Policy, datetime], Left | None]
