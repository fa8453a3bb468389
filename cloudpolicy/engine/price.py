"""What an instance-hour costs, from what bills metered and what people entered. Unknown stays unknown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from cloudpolicy.engine.group import Group
from cloudpolicy.engine.market import LaunchTemplate

ON_DEMAND, SPOT = "on_demand", "spot"
# What is metered by an instance's number alone: the bill does not say how it was bought.
EITHER = "either"
WORDS = {ON_DEMAND: "an on-demand hour", SPOT: "a spot hour", EITHER: "an hour"}
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class HourPrice:
    """Of one instance-hour in base currency, before credits.

    Attributes:
        low, high: what falls away for certain, and at most. What is paid ahead (reservations, savings plans) is
            paid on when the instance is gone, and spot prices move.
        said: where it is from, for people.
    """

    per_hour: Decimal
    low: Decimal
    high: Decimal
    said: str


@dataclass(frozen=True, slots=True)
class Metered:
    """Usage that bills state.

    Attributes:
        billed, effective: in base currency; the latter with what was paid ahead spread over its use.
        cheapest, dearest: effective cost per hour on the cheapest and the dearest day.
    """

    hours: Decimal
    billed: Decimal
    effective: Decimal
    cheapest: Decimal
    dearest: Decimal

    def plus(self, other: "Metered") -> "Metered":
        return Metered(
            self.hours + other.hours,
            self.billed + other.billed,
            self.effective + other.effective,
            min(self.cheapest, other.cheapest),
            max(self.dearest, other.dearest),
        )

    def price(self, *, market: str, said: str) -> HourPrice:
        per_hour = max(self.effective, ZERO) / self.hours
        paid_now = min(max(self.billed, ZERO) / self.hours, per_hour)
        if market == SPOT:
            return HourPrice(per_hour, min(self.cheapest, paid_now), max(self.dearest, per_hour), said)
        return HourPrice(per_hour, paid_now, per_hour, said)


@dataclass(frozen=True, slots=True)
class Entered:
    """A price that a person entered, in base currency. `group` or `instance_type` is empty."""

    account: str
    region: str
    instance_type: str
    group: str
    market: str
    per_hour: Decimal
    said: str


@dataclass(frozen=True)
class PriceBook:
    """All prices of a company.

    Attributes:
        by_type: metered usage by (cloud account's number, region, instance type, market).
        by_instance: metered usage by (instance, market).
        entered: of one kind the newest only.
        account_numbers: the number of a cloud account by its name in the settings; one that is missing is not told
            apart from the others.
        credit_share: of what bills charged lately, paid by credits; 0..1.
        days: how many days of bills were read.
        doubt: why bills that are there could not be used; '' when they could.
    """

    by_type: Mapping[tuple[str, str, str, str], Metered] = field(default_factory=dict)
    by_instance: Mapping[tuple[str, str], Metered] = field(default_factory=dict)
    entered: Sequence[Entered] = ()
    account_numbers: Mapping[str, str] = field(default_factory=dict)
    credit_share: Decimal = ZERO
    days: int = 30
    doubt: str = ""

    def price(self, group: Group, market: str) -> HourPrice | str:
        """What an hour of a group's instances costs in a market, or a sentence that says what is missing.

        In this order: lines of the group's own instances, lines of its instance types in its account and region,
        what a person entered for the group, what one entered for its types.
        """
        own = self._of_instances(group, market)
        if own is not None:
            said = f"bill lines of its instances, {self.days} days"
            return own.price(market=market, said=said)
        types = types_of(group)
        billed = self._of_types(group, types, market)
        if billed is not None:
            return billed
        for each in self.entered:
            # What somebody says of a group alone holds however its instances are bought.
            if each.group == group.name and self._fits(each, group, each.market if market == EITHER else market):
                return HourPrice(each.per_hour, each.per_hour, each.per_hour, each.said)
        prices = [(self._entered_of_type(group, kind, market), count) for kind, count in types.items()]
        if prices and all(price is not None for price, _ in prices):
            return _weighted([(price, count) for price, count in prices if price is not None])
        return self._missing(group, types, market)

    def _of_instances(self, group: Group, market: str) -> Metered | None:
        total: Metered | None = None
        for instance in group.instances:
            metered = self.by_instance.get((instance.id, market))
            if metered is not None and metered.hours > 0:
                total = metered if total is None else total.plus(metered)
        return total

    def _of_types(self, group: Group, types: Counter[str], market: str) -> HourPrice | None:
        prices = []
        for kind, count in types.items():
            metered = self._metered_type(group, kind, market)
            if metered is None or metered.hours <= 0:
                return None
            said = f"bill lines of {kind} in {group.region}, {self.days} days"
            prices.append((metered.price(market=market, said=said), count))
        return _weighted(prices) if prices else None

    def _metered_type(self, group: Group, kind: str, market: str) -> Metered | None:
        number = self.account_numbers.get(group.account)
        if number is not None:
            return self.by_type.get((number, group.region, kind, market))
        total: Metered | None = None
        for (_, region, metered_type, metered_market), metered in self.by_type.items():
            if (region, metered_type, metered_market) == (group.region, kind, market):
                total = metered if total is None else total.plus(metered)
        return total

    def _entered_of_type(self, group: Group, kind: str, market: str) -> HourPrice | None:
        for each in self.entered:
            if each.instance_type == kind and self._fits(each, group, market):
                return HourPrice(each.per_hour, each.per_hour, each.per_hour, each.said)
        return None

    def _fits(self, each: Entered, group: Group, market: str) -> bool:
        return each.account in ("", group.account) and each.region == group.region and each.market == market

    def _missing(self, group: Group, types: Counter[str], market: str) -> str:
        if self.doubt:
            return self.doubt
        if not types:
            return f"{group.name} has no instances, and nobody says of which type they would be"
        kinds = ", ".join(sorted(types))
        return f"no bill line and no entered price says what {WORDS[market]} of {kinds} in {group.region} costs"


def types_of(group: Group) -> Counter[str]:
    """Instance types of a group and how many it has of each; what its template asks for where it has none."""
    types = Counter(instance.type for instance in group.instances if instance.type)
    if not types and isinstance(group.market, LaunchTemplate) and group.market.instance_type:
        types[group.market.instance_type] = 1
    return types


def _weighted(prices: Sequence[tuple[HourPrice, int]]) -> HourPrice:
    total = sum(count for _, count in prices)
    return HourPrice(
        per_hour=sum((price.per_hour * count for price, count in prices), ZERO) / total,
        low=sum((price.low * count for price, count in prices), ZERO) / total,
        high=sum((price.high * count for price, count in prices), ZERO) / total,
        said="; ".join(dict.fromkeys(price.said for price, _ in prices)),
    )
