"""The founding ladder and the groups that the tests of the engine reason about."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.document import parse_policy
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.market import LaunchTemplate, Market, MixedInstances
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.runway import ChainCheck, Runway

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
LADDER: Policy = parse_policy(FOUNDING_LADDER)

MIXED = MixedInstances({"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 30})
ON_DEMAND = MixedInstances({"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 100})
SPOT_TEMPLATE = LaunchTemplate("lt-1", "staging", "$Latest", 3, {"MarketType": "spot"})


def group(
    environment: str, *, size: tuple[int, int, int] = (4, 16, 12), market: Market = MIXED, opted_in: bool = True
) -> Group:
    """A group of the founding naming; `size` is min, max, desired."""
    return Group(
        f"capstack-{environment}-asg", environment, "us-east-1", Capacity(*size), market, opted_in=opted_in
    )


GROUPS = (group("dev"), group("production"), group("staging", market=SPOT_TEMPLATE))


def runway(p5_days: object, **changes: object) -> Runway:
    """A fresh, calibrated forecast over all events of a journal whose chain holds."""
    fresh = Runway(
        forecast_run=7,
        p5_days=p5_days,
        horizon_days=365,
        published_at=NOW - timedelta(minutes=1),
        as_of=date(2026, 3, 2),
        today=date(2026, 3, 2),
        chain=ChainCheck(NOW - timedelta(hours=1)),
        share_below_p5=0.05,
    )
    return replace(fresh, **changes)  # type: ignore[arg-type]
