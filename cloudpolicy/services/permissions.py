"""The least that the policy's credentials must be allowed, as an IAM policy."""

from typing import Any

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.policy import OptInTag
from cloudpolicy.filters.registry import all_filters

# By service: how IAM asks for a tag of what is changed.
_TAG_CONDITIONS = {
    "autoscaling": "autoscaling:ResourceTag",
    "ec2": "ec2:ResourceTag",
    "rds": "aws:ResourceTag",
}
# Where no tag can be asked for, the name can.
_NAMED = {"budgets": "arn:aws:budgets::*:budget/capstack-*"}
# What only reads names no resource in IAM.
_READING = ("Describe", "Get", "List", "View")


def least_permissions(*, opt_in: OptInTag) -> dict[str, Any]:
    """What all registered actions and filters declare, as an IAM policy document.

    Reading names no resource in IAM. Changing something is allowed only where it carries the opt-in tag, so that
    AWS refuses what the engine would never ask for, except for what actions declare as `untagged`.
    """
    declared = {permission for action in all_actions() for permission in action.permissions}
    untagged = {permission for action in all_actions() for permission in action.untagged}
    declared |= {permission for each in all_filters() for permission in each.permissions}
    reading = {permission for permission in declared if permission.partition(":")[2].startswith(_READING)}
    statements = [{"Sid": "Read", "Effect": "Allow", "Action": sorted(reading), "Resource": "*"}]
    services = sorted({permission.partition(":")[0] for permission in declared - reading})
    for service in services:
        changing = {p for p in declared - reading if p.startswith(f"{service}:")}
        tagged = changing - untagged if service in _TAG_CONDITIONS else set()
        if tagged:
            statement = _changing("Change", service, tagged)
            key = f"{_TAG_CONDITIONS[service]}/{opt_in.key}"
            statement["Condition"] = {"StringEquals": {key: opt_in.value}}
            statements.append(statement)
        if changing - tagged:
            statements.append(_changing("Make" if tagged else "Change", service, changing - tagged))
    return {"Version": "2012-10-17", "Statement": statements}


def _changing(verb: str, service: str, permissions: set[str]) -> dict[str, Any]:
    return {
        "Sid": f"{verb}{service.capitalize()}",
        "Effect": "Allow",
        "Action": sorted(permissions),
        "Resource": _NAMED.get(service, "*"),
    }
