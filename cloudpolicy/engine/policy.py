"""A policy: which sizes the environments take at which runway. Data, read from a document and never from code."""

from dataclasses import dataclass, field
from datetime import timedelta

from cloudpolicy.engine.capacity import Capacity


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ladder: what its environment becomes while little runway is left.

    Attributes:
        below_days: the row applies once p5 is below this.
        until_days: once it applies, it does so until p5 is above this. The gap between the two is what keeps a p5
            that trembles round a threshold from resizing anything twice.
    """

    environment: str
    below_days: int
    until_days: int
    capacity: Capacity
    spot: bool

    @property
    def name(self) -> str:
        return f"{self.environment} below {self.below_days}"


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What an environment is while none of its rows applies. Without one it gets its journalled sizes back."""

    environment: str
    capacity: Capacity
    spot: bool

    @property
    def name(self) -> str:
        return f"{self.environment} otherwise"


@dataclass(frozen=True, slots=True)
class OptInTag:
    """The tag by which an owner hands a resource to the policy."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Limits:
    """When a forecast is no longer good enough to act on.

    Attributes:
        forecast_age: older forecasts are stale.
        catch_up: a forecast that has not seen the newest events is stale after this long.
        feed_silence: nothing heard from the company's accounts for longer than this: the feed is silent.
        coverage_tolerance: a 5 % quantile should be undercut in 5 % of all cases; a measured share further off
            than this makes p5 uncalibrated.
    """

    forecast_age: timedelta
    catch_up: timedelta
    feed_silence: timedelta
    coverage_tolerance: float


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy.

    Attributes:
        rows: rows of different environments add up; of several rows of one environment the one with the lowest
            threshold applies.
        floors: instances that an environment is never left below.
        group_name: how groups are named, with `{environment}` in it; a tag `capstack:environment` overrules it.
        on_demand_percent_with_spot: what a mixed-instances group keeps on demand while spot is on.
    """

    name: str
    rows: tuple[Row, ...]
    otherwise: tuple[Otherwise, ...]
    floors: dict[str, int] = field(hash=False)
    group_name: str
    opt_in: OptInTag
    on_demand_percent_with_spot: int
    limits: Limits

    @property
    def environments(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys([*(row.environment for row in self.rows), *(o.environment for o in self.otherwise)])
        )

    def floor_of(self, environment: str) -> int:
        return self.floors.get(environment, 0)
