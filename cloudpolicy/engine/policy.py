"""A policy: which sizes the environments take at which runway. Data, read from a document and never from code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import cached_property

from cloudpolicy.engine.capacity import Capacity

# What AWS lets a group suspend.
PROCESSES = (
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
)
# Without these a scheduled action of a group is not carried out.
SCHEDULING_PROCESSES = frozenset({"ScheduledActions", "Launch", "Terminate"})
# What besides groups may stand still. Each word is taken up by one action.
STOPPABLE = ("databases", "instances", "spot_requests")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Budget:
    """What an environment may cost, as a budget in the cloud: a limit and the share of it that raises an alert.

    Attributes:
        notify: whom the alert is sent to, an address of e-mail or the ARN of a topic; '' tells nobody.
        may_loosen: a budget that is lower, or that alerts earlier, is raised to this one. Else it stays.
    """

    usd_per_month: int
    alert_percent: int
    notify: str = ""
    may_loosen: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ladder: what its environment becomes while little runway is left.

    Attributes:
        below_days: the row applies once p5 is below this.
        until_days: once it applies, it does so until p5 is above this. The gap between the two is what keeps a p5
            that trembles round a threshold from resizing anything twice.
        suspended: processes of the group that stand still meanwhile.
        budget: None leaves the budget as it is.
        stopped: what besides groups stands still meanwhile, of STOPPABLE.
        may_stop_schedules: also processes without which the scheduled actions of a group are not carried out.
    """

    environment: str
    below_days: int
    until_days: int
    capacity: Capacity
    spot: bool
    suspended: frozenset[str] = frozenset()
    budget: Budget | None = None
    stopped: frozenset[str] = frozenset()
    may_stop_schedules: bool = False
    name: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.environment} below {self.below_days}")


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What an environment is while none of its rows applies. Without one it gets its journalled sizes back."""

    environment: str
    capacity: Capacity
    spot: bool
    suspended: frozenset[str] = frozenset()
    budget: Budget | None = None
    stopped: frozenset[str] = frozenset()
    may_stop_schedules: bool = False

    @property
    def name(self) -> str:
        return f"{self.environment} otherwise"


Rule = Row | Otherwise


@dataclass(frozen=True, slots=True)
class OptInTag:
    """The tag by which an owner hands a resource to the policy."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Limits:
    """When a forecast is no longer good enough to act on, and how much one plan may change.

    Attributes:
        forecast_age: older forecasts are stale.
        catch_up: a forecast that has not seen the newest events is stale after this long.
        feed_silence: nothing heard from the company's accounts for longer than this: the feed is silent.
        coverage_tolerance: a 5 % quantile should be undercut in 5 % of all cases; a measured share further off
            than this makes p5 uncalibrated.
        act_uncalibrated: whether a p5 may be acted on whose coverage nobody has measured yet. A young company may
            want that; it never forgives a coverage that was measured and is off.
        groups_per_plan: a plan changes no more groups than this; the rest waits for the next one. None: no limit.
        step_percent: a plan changes the wanted number of instances of a group by no more than this share of what
            it is, and by one at least. None: no limit.
    """

    forecast_age: timedelta
    catch_up: timedelta
    feed_silence: timedelta
    coverage_tolerance: float
    groups_per_plan: int | None = None
    step_percent: int | None = None
    act_uncalibrated: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly the ladder moves.

    Attributes:
        dwell_forecasts: a row comes into force, or is left, when so many forecasts in a row say so.
        cooldown: once an environment has moved, it does not move the other way for this long.
    """

    dwell_forecasts: int = 1
    cooldown: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours in which nothing is changed, in the company's time zone.

    Attributes:
        days: numbers of the days on which they begin, Monday being 0.
        start, end: half-open; an end at or before the start lies on the next day.
    """

    days: frozenset[int]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Quiet:
    """When nothing is changed: hours of the week, and whole days of the company's calendar."""

    hours: tuple[QuietHours, ...] = ()
    skip_days: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class GroupRule:
    """What holds for one group alone.

    Attributes:
        floor: instances it is never left below; the environment's floor counts as well. None: that one alone.
        exclude_until: the policy leaves the group alone until this day begins; None when it does not.
        because: why it is left alone.
    """

    group: str
    floor: int | None = None
    exclude_until: date | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who lets a plan be applied.

    Attributes:
        production: environments that a person always decides about.
        automatic: plans that touch no production environment need nobody.
        two_people_above: a plan that adds or removes more instances than this, over all of its groups, needs two.
            None: never.
        exact_run: an approval holds for the forecast run that the plan was made from, and dies with the next one,
            whatever that says. Else it holds while forecasts say the same.
    """

    production: frozenset[str] = frozenset({"production"})
    automatic: bool = False
    two_people_above: int | None = None
    exact_run: bool = False


@dataclass(frozen=True)
class Policy:
    """A whole policy.

    Attributes:
        rows: rows of different environments add up; of several rows of one environment the one with the lowest
            threshold applies.
        floors: instances that an environment is never left below.
        group_name: how groups are named, with `{environment}` in it; a tag `capstack:environment` overrules it.
        on_demand_percent_with_spot: what a mixed-instances group keeps on demand while spot is on.
        groups: what holds for single groups, by name.
    """

    name: str
    rows: tuple[Row, ...]
    otherwise: tuple[Otherwise, ...]
    floors: dict[str, int] = field(hash=False)
    group_name: str
    opt_in: OptInTag
    on_demand_percent_with_spot: int
    limits: Limits
    pace: Pace = Pace()
    quiet: Quiet = Quiet()
    groups: Mapping[str, GroupRule] = field(default_factory=dict, hash=False)
    approval: Approval = Approval()

    @cached_property
    def environments(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys([*(row.environment for row in self.rows), *(o.environment for o in self.otherwise)])
        )

    @cached_property
    def otherwise_of(self) -> Mapping[str, Otherwise]:
        """By environment."""
        return {each.environment: each for each in self.otherwise}

    @cached_property
    def rules(self) -> tuple["Rule", ...]:
        return (*self.rows, *self.otherwise)

    def floor_of(self, environment: str, group: str = "") -> int:
        """Instances that a group is never left below, or any group of an environment."""
        rule = self.groups.get(group)
        return max(self.floors.get(environment, 0), (rule.floor if rule else None) or 0)
