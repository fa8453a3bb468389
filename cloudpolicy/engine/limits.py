"""Limits that stand between a plan and the cloud, whoever made the plan."""

from collections.abc import Sequence

from cloudpolicy.engine.call import ApiCall, place_of
from cloudpolicy.engine.capacity import capacity_problems, parse_capacity
from cloudpolicy.engine.policy import Approval, Policy
from cloudpolicy.engine.resource import stops

SIZE = frozenset({"min", "max", "desired"})


def limit_problems(*, calls: Sequence[ApiCall], policy: Policy) -> tuple[str, ...]:
    """What a plan would change beyond the policy's limits; empty when nothing.

    The engine keeps to them when it plans. They are looked at again where the calls are made, so that no other way
    to a plan leads past them.
    """
    problems = []
    groups = {place_of(call) for call in calls}
    most = policy.limits.groups_per_plan
    if most is not None and len(groups) > most:
        problems.append(f"it changes {len(groups)} groups, more than the {most} that one plan may change")
    for call in calls:
        if stops(call) and call.environment in policy.approval.production:
            problems.append(f"{call.group}: nothing of production is ever stopped")
        if set(call.after) != SIZE:
            continue
        before, after = parse_capacity(call.before), parse_capacity(call.after)
        floor = policy.floor_of(call.environment, call.group)
        problems += [f"{call.group}: {problem}" for problem in capacity_problems(after, floor=floor)]
        percent = policy.limits.step_percent
        step = abs(after.desired - before.desired)
        if percent is None or before.desired < floor or step <= max(1, before.desired * percent // 100):
            continue
        problems.append(f"{call.group}: a step of {step} instances is more than {percent} % of {before.desired}")
    return tuple(problems)


def approvals_needed(*, calls: Sequence[ApiCall], approval: Approval) -> int:
    """How many people have to agree: 0 where the policy does so itself, else 1, or 2 above its limit."""
    moved = sum(
        abs(int(call.after["desired"]) - int(call.before["desired"])) for call in calls if set(call.after) == SIZE
    )
    if approval.two_people_above is not None and moved > approval.two_people_above:
        return 2
    is_production = any(call.environment in approval.production for call in calls)
    return 0 if approval.automatic and not is_production else 1
