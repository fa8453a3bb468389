"""What the ladder asks of one group."""

from cloudpolicy.engine.band import Band
from cloudpolicy.engine.capacity import capacity_problems
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.history import History
from cloudpolicy.engine.policy import Otherwise, Policy, Row
from cloudpolicy.engine.reason import Reason


def target_of(*, group: Group, policy: Policy, band: Band, history: History) -> Target | Reason | None:
    """Decide what a group should be: a row in force, else the environment's `otherwise`, else its journalled size.

    Returns:
        None when the policy has nothing to say about the group; a Reason when it has, but must leave it alone.
    """
    rule: Row | Otherwise | None = band.row_of(group.environment)
    rule = rule or next((each for each in policy.otherwise if each.environment == group.environment), None)
    if rule is not None:
        return Target(rule.capacity, rule.spot, policy.on_demand_percent_with_spot, rule.name)
    size = history.size_of(group)
    if size is None:
        return None
    problems = capacity_problems(size.capacity, floor=policy.floor_of(group.environment))
    if problems:
        return Reason("bad_journal", f"{group.name}: the journalled size cannot be restored: {problems[0]}")
    return Target(size.capacity, size.spot, policy.on_demand_percent_with_spot, "size before the policy shrank it")
