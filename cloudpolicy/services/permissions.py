"""The least that the policy's credentials must be allowed, as an IAM policy."""

from typing import Any

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.policy import OptInTag
from cloudpolicy.filters.registry import all_filters

# Statements by service: IAM calls the condition by another name in each.
_TAG_CONDITIONS = {"autoscaling": "autoscaling:ResourceTag"}
# What only reads names no resource in IAM.
_READING = ("Describe", "Get", "List", "View")


def least_permissions(*, opt_in: OptInTag) -> dict[str, Any]:
    """What all registered actions and filters declare, as an IAM policy document.

    Reading names no resource in IAM. Changing a group is allowed for groups that carry the opt-in tag alone, so
    that AWS refuses what the engine would never ask for.
    """
    declared = {permission for action in all_actions() for permission in action.permissions}
    declared |= {permission for each in all_filters() for permission in each.permissions}
    reading = {permission for permission in declared if permission.partition(":")[2].startswith(_READING)}
    statements = [{"Sid": "Read", "Effect": "Allow", "Action": sorted(reading), "Resource": "*"}]
    services = sorted({permission.partition(":")[0] for permission in declared - reading})
    for service in services:
        changing = sorted(p for p in declared - reading if p.startswith(f"{service}:"))
        statement: dict[str, Any] = {
            "Sid": f"Change{service.capitalize()}",
            "Effect": "Allow",
            "Action": changing,
            "Resource": "*",
        }
        if service in _TAG_CONDITIONS:
            key = f"{_TAG_CONDITIONS[service]}/{opt_in.key}"
            statement["Condition"] = {"StringEquals": {key: opt_in.value}}
        statements.append(statement)
    return {"Version": "2012-10-17", "Statement": statements}
