"""The groups of a company as they were last read."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.market import LaunchTemplate, MixedInstances, UnknownMarket
from cloudpolicy.models.groups_seen import GroupsSeen


@dataclass(frozen=True, slots=True)
class SeenGroup:
    """One group, as far as people want to know of it.

    Attributes:
        spot: bids on the spot market; None when that could not be read.
        spot_text: what of it is bought how, for people: `on, 50 % on demand`, or why nobody knows.
        instance_types: of what it runs and may launch; empty when it runs nothing and names none.
        suspended: processes that stand still.
    """

    name: str
    environment: str
    account: str
    region: str
    min: int
    max: int
    desired: int
    spot: bool | None
    spot_text: str
    instance_types: tuple[str, ...]
    opted_in: bool
    suspended: tuple[str, ...]

    @classmethod
    def of(cls, group: Group) -> "SeenGroup":
        return cls(
            name=group.name,
            environment=group.environment,
            account=group.account,
            region=group.region,
            min=group.capacity.min,
            max=group.capacity.max,
            desired=group.capacity.desired,
            spot=group.market.spot,
            spot_text=_spot_text(group),
            instance_types=_instance_types(group),
            opted_in=group.opted_in,
            suspended=tuple(sorted(group.suspended)),
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def as_group(self) -> Group:
        """The group for filters, which ask nothing about how its instances are bought."""
        return Group(
            name=self.name,
            environment=self.environment,
            region=self.region,
            capacity=Capacity(self.min, self.max, self.desired),
            market=UnknownMarket(self.spot_text),
            opted_in=self.opted_in,
            suspended=frozenset(self.suspended),
            account=self.account,
        )


@dataclass(frozen=True, slots=True)
class Inventory:
    """All groups of a company and when they were read."""

    groups: tuple[SeenGroup, ...]
    seen_at: datetime


def groups_seen(*, company_id: int) -> Inventory | None:
    """None when they have never been read."""
    row = GroupsSeen.objects.filter(company_id=company_id).first()
    if row is None:
        return None
    return Inventory(tuple(_group(stored) for stored in row.groups), row.seen_at)


def _group(stored: dict[str, Any]) -> SeenGroup:
    lists = {name: tuple(stored[name]) for name in ("instance_types", "suspended")}
    return SeenGroup(**{**stored, **lists})


def _instance_types(group: Group) -> tuple[str, ...]:
    found = {each.type for each in group.instances}
    if isinstance(group.market, LaunchTemplate):
        found.add(group.market.instance_type)
    return tuple(sorted(found - {""}))


def _spot_text(group: Group) -> str:
    market = group.market
    if isinstance(market, UnknownMarket):
        return f"unknown: {market.reason}"
    if isinstance(market, MixedInstances) and market.spot:
        return f"on, {market.on_demand_percent} % on demand above {market.on_demand_base}"
    if not group.opted_in and not isinstance(market, MixedInstances):
        return "not read"
    return "on" if market.spot else "off"
