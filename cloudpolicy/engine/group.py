"""An auto-scaling group as it stands now, and what a policy wants it to be."""

from dataclasses import dataclass

from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.market import Market


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a group. `type` is empty where the cloud does not say it."""

    id: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """An auto-scaling group as AWS described it.

    Attributes:
        environment: `dev`, `staging`, `production` …; empty when neither name nor tag tells.
        opted_in: carries the opt-in tag of the policy. Nothing else is ever touched.
        suspended: its processes that stand still.
        is_scheduled: scheduled actions resize it. Read only where a policy suspends what they need.
        account: the cloud account by its name in the settings; '' is the one that the environment names.
        instances: those it has at the moment; bills name them.
    """

    name: str
    environment: str
    region: str
    capacity: Capacity
    market: Market
    opted_in: bool
    suspended: frozenset[str] = frozenset()
    is_scheduled: bool = False
    account: str = ""
    instances: tuple[Instance, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """Account, region and name: what no other group shares."""
        return self.account, self.region, self.name


@dataclass(frozen=True, slots=True)
class Target:
    """What a group should be.

    Attributes:
        spot: bid on the spot market; None leaves that as it is.
        on_demand_percent: share of on-demand instances above the base while spot is on.
        because: the row of the policy, or the restored size, that asks for it.
        suspend, resume: processes that should stand still, and that should run; others are left as they are.
        may_stop_schedules: suspend also what the group's scheduled actions need.
    """

    capacity: Capacity
    spot: bool | None
    on_demand_percent: int
    because: str
    suspend: frozenset[str] = frozenset()
    resume: frozenset[str] = frozenset()
    may_stop_schedules: bool = False
