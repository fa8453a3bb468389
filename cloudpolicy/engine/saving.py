"""What a group saves a month when instances go: their number, times what an hour of them costs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.market import LaunchTemplate, MixedInstances
from cloudpolicy.engine.policy import PROCESSES
from cloudpolicy.engine.price import EITHER, ON_DEMAND, SPOT, ZERO, HourPrice, PriceBook
from cloudpolicy.engine.worth import CallWorth

# As forecasting's DAYS_PER_MONTH: a month of a cloud bill.
HOURS_PER_MONTH = Decimal("729.6")
CENT = Decimal("0.01")
# Settings that change no instance.
WITHOUT_INSTANCES = frozenset({"min", "max", "template", "version", "usd_per_month", "alert_percent", *PROCESSES})
NO_INSTANCE = CallWorth(ZERO, ZERO, ZERO, price="no instance comes or goes")


@dataclass(frozen=True, slots=True)
class Footing:
    """How many instances a group runs, and how they are bought.

    Attributes:
        on_demand_percent: of those above the base; None where it cannot be read.
    """

    desired: int
    on_demand_base: int
    on_demand_percent: int | None

    def instances(self) -> Mapping[str, int]:
        """Instances by market. AWS rounds the on-demand share up."""
        if self.on_demand_percent is None:
            return {EITHER: self.desired}
        base = min(self.on_demand_base, self.desired)
        bought = base + math.ceil((self.desired - base) * self.on_demand_percent / 100)
        return {ON_DEMAND: bought, SPOT: self.desired - bought}

    def after(self, call: ApiCall) -> "Footing | None":
        """The footing once a call is made; None for a call of which nobody knows what it does to instances."""
        changed = {key: value for key, value in call.after.items() if value != call.before.get(key)}
        footing = self
        for key, value in changed.items():
            if key == "desired":
                footing = replace(footing, desired=int(value))
            elif key == "on_demand_percent":
                footing = replace(footing, on_demand_percent=int(value))
            elif key == "spot":
                if "on_demand_percent" not in call.after and _reaches_the_group(call):
                    footing = replace(footing, on_demand_percent=0 if value else 100)
            elif key not in WITHOUT_INSTANCES:
                return None
        return footing


def footing_of(group: Group) -> Footing:
    market = group.market
    if isinstance(market, MixedInstances):
        return Footing(group.capacity.desired, market.on_demand_base, market.on_demand_percent)
    if isinstance(market, LaunchTemplate):
        return Footing(group.capacity.desired, 0, 0 if market.spot else 100)
    return Footing(group.capacity.desired, 0, None)


def _reaches_the_group(call: ApiCall) -> bool:
    """A new version of a template that the group does not follow changes nothing; the next call points at it."""
    follows: Any = call.parameters.get("follows", "$Latest")
    return bool(follows == "$Latest")


def saving_of(*, group: Group, before: Footing, after: Footing, book: PriceBook) -> CallWorth:
    """What a change of a group saves a month, without days."""
    fewer = _fewer(before, after)
    if not fewer:
        return NO_INSTANCE
    prices: dict[str, HourPrice] = {}
    for market in fewer:
        price = book.price(group, market)
        if isinstance(price, str):
            # The bill may meter the group's instances without saying how they were bought. That will do for a
            # change of their number, not for one of how they are bought.
            same_way = len({count > 0 for count in fewer.values()}) == 1
            any_hour = book.price(group, EITHER) if same_way and market != EITHER else price
            if isinstance(any_hour, str):
                return CallWorth(because=price)
            price = any_hour
        prices[market] = price
    month = HOURS_PER_MONTH
    likely = sum((count * prices[market].per_hour for market, count in fewer.items()), ZERO) * month
    low = sum((_least(count, prices[market]) for market, count in fewer.items()), ZERO) * month
    high = sum((_most(count, prices[market]) for market, count in fewer.items()), ZERO) * month
    said = "; ".join(dict.fromkeys(price.said for price in prices.values()))
    return CallWorth(_cents(likely), _cents(low), _cents(high), price=said)


def _fewer(before: Footing, after: Footing) -> dict[str, int]:
    """How many instances less there are, by market; markets in which nothing changes are left out."""
    old, new = before.instances(), after.instances()
    if set(old) != set(new):
        # It was not known how they were bought, and now it is: none is known to come or go.
        return {EITHER: before.desired - after.desired} if before.desired != after.desired else {}
    return {market: old[market] - new[market] for market in old if old[market] != new[market]}


def _least(count: int, price: HourPrice) -> Decimal:
    return count * (price.low if count > 0 else price.high)


def _most(count: int, price: HourPrice) -> Decimal:
    return count * (price.high if count > 0 else price.low)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)
