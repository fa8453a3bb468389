"""Where the instances of a group come from: bought on demand, or bid for on the spot market.

AWS has several places in which a group can ask for spot instances. Those that can be changed safely are nouns here
that know whether they ask for spot; changing them is an action's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class MixedInstances:
    """The group's own mixed-instances policy shares its instances out between on-demand and spot.

    Attributes:
        distribution: the InstancesDistribution exactly as AWS describes it, so that changing one figure keeps the
            others.
    """

    distribution: Mapping[str, Any] = field(default_factory=dict)

    @property
    def on_demand_percent(self) -> int:
        """Share of on-demand instances above the base; AWS's own default is 100."""
        return int(self.distribution.get("OnDemandPercentageAboveBaseCapacity", 100))

    @property
    def on_demand_base(self) -> int:
        return int(self.distribution.get("OnDemandBaseCapacity", 0))

    @property
    def spot(self) -> bool:
        return self.on_demand_percent < 100


@dataclass(frozen=True, slots=True)
class LaunchTemplate:
    """A launch template without a mixed-instances policy: the template itself may ask for spot.

    Attributes:
        template_id, name: as the group refers to it.
        follows: the version the group asks for: a number, `$Latest` or `$Default`.
        version: the number that `follows` means at present; None where nobody read the template, because the group
            is not the policy's to change.
        market_options: the template's InstanceMarketOptions; empty when instances are bought on demand.
        instance_type: what the template asks for; empty where it names none.
    """

    template_id: str
    name: str
    follows: str
    version: int | None
    market_options: Mapping[str, Any] = field(default_factory=dict)
    instance_type: str = ""

    @property
    def spot(self) -> bool:
        return self.market_options.get("MarketType") == "spot"


@dataclass(frozen=True, slots=True)
class UnknownMarket:
    """It could not be read how the group buys its instances, or it is a way that no action changes safely."""

    reason: str

    @property
    def spot(self) -> None:
        return None


Market = MixedInstances | LaunchTemplate | UnknownMarket
