"""What the calls of a plan save a month, each after those before it."""

from collections.abc import Sequence

from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.price import PriceBook
from cloudpolicy.engine.resource import Resource, key_of
from cloudpolicy.engine.resource_saving import is_of_a_resource, resource_saving
from cloudpolicy.engine.saving import NO_INSTANCE, WITHOUT_INSTANCES, footing_of, saving_of
from cloudpolicy.engine.setting import setting_name
from cloudpolicy.engine.worth import CallWorth


def call_savings(
    *, calls: Sequence[ApiCall], groups: Sequence[Group], book: PriceBook, resources: Sequence[Resource] = ()
) -> tuple[CallWorth, ...]:
    """Price every call in the place where it stands: those before it are made already, so savings add up.

    Days are not filled in.
    """
    known = {group.key: group for group in groups}
    footings = {key: footing_of(group) for key, group in known.items()}
    things = {resource.key: resource for resource in resources}
    worths = []
    for call in calls:
        if is_of_a_resource(call):
            worths.append(resource_saving(call=call, resource=things.get(key_of(call)), book=book))
            continue
        if set(call.after) <= WITHOUT_INSTANCES:
            worths.append(NO_INSTANCE)
            continue
        key = (call.account, call.region, call.group)
        if key not in known:
            worths.append(CallWorth(because=f"{call.group} is no auto-scaling group that was read"))
            continue
        before = footings[key]
        after = before.after(call)
        if after is None:
            changed = ", ".join(setting_name(key) for key in call.after)
            worths.append(CallWorth(because=f"what it changes has no price per instance-hour: {changed}"))
            continue
        footings[key] = after
        worths.append(saving_of(group=known[key], before=before, after=after, book=book))
    return tuple(worths)
