"""What it saves to let a single resource stand still: its hours. What is kept of it, such as disks, is paid on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.group import Group, Instance
from cloudpolicy.engine.market import MixedInstances
from cloudpolicy.engine.price import SPOT, ZERO, PriceBook
from cloudpolicy.engine.resource import Resource
from cloudpolicy.engine.saving import CENT, HOURS_PER_MONTH, Footing, saving_of
from cloudpolicy.engine.worth import CallWorth

STORAGE_IS_PAID_ON = "its storage is paid on"
# Keys of `Resource.details`: the type that its hours are billed by, and how the lines of a bill name it.
TYPE, BILLED_AS = "type", "billed_as"
_RUNS, _STANDS = Footing(1, 0, 100), Footing(0, 0, 100)


def resource_saving(*, call: ApiCall, resource: Resource | None, book: PriceBook) -> CallWorth:
    """What a call on a resource saves a month, without days.

    Args:
        resource: as it was read for the plan; None where it was not found.
    """
    if "bids" in call.after:
        return _of_a_request(call, book)
    if resource is None:
        return CallWorth(because=f"{call.group} was not found, so nobody says of which type it is")
    thing = _as_group(call, str(resource.details.get(TYPE, "")), str(resource.details.get(BILLED_AS, call.group)))
    before, after = (_RUNS if side["running"] else _STANDS for side in (call.before, call.after))
    worth = saving_of(group=thing, before=before, after=after, book=book)
    return worth if worth.monthly_saving is None else replace(worth, price=f"{worth.price}; {STORAGE_IS_PAID_ON}")


def _of_a_request(call: ApiCall, book: PriceBook) -> CallWorth:
    """A request that waits costs nothing yet; cancelled, it may save what it would cost once it is filled."""
    asked: Mapping[str, Any] = call.parameters.get("again", {})
    kind = str(asked.get("LaunchSpecification", {}).get("InstanceType", ""))
    price = book.price(_as_group(call, kind, call.group), SPOT)
    waits = "nothing runs for it while it waits"
    if isinstance(price, str):
        return CallWorth(ZERO, ZERO, ZERO, price=f"{waits}; what it would cost once filled is unknown")
    filled = (price.high * int(asked.get("InstanceCount", 1)) * HOURS_PER_MONTH).quantize(CENT)
    said = f"{waits}; once filled it costs {price.said}"
    return (
        CallWorth(ZERO, ZERO, filled, price=said)
        if not call.after["bids"]
        else CallWorth(ZERO, -filled, ZERO, price=said)
    )


def _as_group(call: ApiCall, kind: str, billed_as: str) -> Group:
    """A group of one, so that prices are found by the same rules."""
    return Group(
        name=call.group,
        environment=call.environment,
        region=call.region,
        capacity=Capacity(0, 1, 1),
        market=MixedInstances(),
        opted_in=True,
        account=call.account,
        instances=(Instance(billed_as, kind),),
    )


def is_of_a_resource(call: ApiCall) -> bool:
    """Whether it makes something other than a group stand still or run."""
    return "running" in call.after or "bids" in call.after
