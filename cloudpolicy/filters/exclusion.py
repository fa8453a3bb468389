"""Groups that the policy excludes are left alone until the day that it names."""

from datetime import UTC, datetime, time

from cloudpolicy.engine.filter import Filter, Left
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason


def judge(group: Group, policy: Policy, local_now: datetime) -> Left | None:
    rule = policy.groups.get(group.name)
    day = rule.exclude_until if rule else None
    if rule is None or day is None or local_now.date() >= day:
        return None
    ends = datetime.combine(day, time.min, local_now.tzinfo).astimezone(UTC)
    return Left(Reason("excluded", f"{group.name} is left alone until {day}: {rule.because}"), ends)


FILTER = Filter(name="exclusion", order=40, permissions=(), judge=judge)
