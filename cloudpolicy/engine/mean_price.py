"""One price for the instance-hours of many groups, where what is saved is counted in hours alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from cloudpolicy.engine.group import Group
from cloudpolicy.engine.price import EITHER, ZERO, PriceBook
from cloudpolicy.engine.saving import footing_of


@dataclass(frozen=True, slots=True)
class MeanPrice:
    """Of an instance-hour in base currency.

    Attributes:
        per_hour: None where no instance has a price.
        said: where it is from, and what has none; for people.
    """

    per_hour: Decimal | None
    said: str


def mean_price(*, groups: Sequence[Group], book: PriceBook) -> MeanPrice:
    """The mean over the instances that groups run now, or could run where they run none, each way they are bought.

    Groups without a price are left out of it, and named.
    """
    total, instances = ZERO, 0
    sources: list[str] = []
    missing: list[str] = []
    for group in groups:
        bought = {market: count for market, count in footing_of(group).instances().items() if count}
        for market, count in (bought or {EITHER: 1}).items():
            price = book.price(group, market)
            if isinstance(price, str) and market != EITHER:
                # The bill may not say how the instance was bought.
                other = book.price(group, EITHER)
                price = price if isinstance(other, str) else other
            if isinstance(price, str):
                missing.append(f"{group.name}: {price}")
                continue
            total, instances = total + price.per_hour * count, instances + count
            sources.append(price.said)
    if not instances:
        return MeanPrice(None, missing[0] if missing else "there is no group to price")
    said = "mean of " + "; ".join(dict.fromkeys(sources))
    if missing:
        said += f"; {len(missing)} without a price are counted at that mean, {missing[0]}"
    return MeanPrice(total / instances, said)
