"""Single instances, databases and requests for spot that plans speak of, each with the type that has a price."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cloudpolicy.engine.call import ApiCall, parse_call, place_of
from cloudpolicy.engine.exclusion import Place
from cloudpolicy.engine.resource_saving import is_of_a_resource
from cloudpolicy.models.group_instance import GroupInstance
from cloudpolicy.selectors.memory import held_resources
from cloudpolicy.selectors.plans import plans_of_the_policy


@dataclass(frozen=True, slots=True)
class PlannedThing:
    """One of them. `instance_type` is '' where nobody has told it."""

    name: str
    region: str
    instance_type: str


def planned_things(*, company_id: int) -> tuple[PlannedThing, ...]:
    """What the policy's newest plan stops or starts, and what plans have stopped and nobody has started since."""
    newest = plans_of_the_policy(company_id=company_id).order_by("-id").first()
    calls = [parse_call(call) for call in newest.calls] if newest else []
    calls += [held.call for held in held_resources(company_id=company_id)]
    things = [call for call in calls if is_of_a_resource(call)]
    seen = _types_seen(company_id, {call.group for call in things}) if things else {}
    return tuple(dict.fromkeys(_things(things, seen)))


def _things(calls: list[ApiCall], seen: Mapping[Place, str]) -> Iterator[PlannedThing]:
    for call in calls:
        asked: Mapping[str, Any] = call.parameters.get("again", {})
        of_request = str(asked.get("LaunchSpecification", {}).get("InstanceType", ""))
        yield PlannedThing(call.group, call.region, of_request or seen.get(place_of(call), ""))


def _types_seen(company_id: int, names: set[str]) -> dict[Place, str]:
    rows = GroupInstance.objects.filter(company_id=company_id, group__in=names).order_by("id")
    return {
        (account, region, group): kind
        for account, region, group, kind in rows.values_list("account", "region", "group", "instance_type")
    }
