"""Stop databases of RDS, and start them again. AWS itself starts one that was stopped for a week."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudpolicy.engine.action import Action, Observed, Receipt, for_no_group
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.cloud import Cloud, request_id_of
from cloudpolicy.engine.describe import environment_in
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.power import Power
from cloudpolicy.engine.resource import Resource
from cloudpolicy.engine.resource_saving import BILLED_AS, TYPE

POWER = Power(
    noun="database",
    word="databases",
    stop="rds:StopDBInstance",
    start="rds:StartDBInstance",
    parameters=lambda name: {"DBInstanceIdentifier": name},
)
DATABASES_PER_PAGE = 100
_STOPPED = ("stopping", "stopped")
_GOING = ("creating", "deleting", "failed")


def discover(cloud: Cloud, policy: Policy, _groups: Sequence[Group]) -> Sequence[Resource]:
    # RDS filters by no tags, but tells them with every database.
    pages = (
        cloud.reading("rds")
        .get_paginator("describe_db_instances")
        .paginate(PaginationConfig={"PageSize": DATABASES_PER_PAGE})
    )
    found = (_resource(database, policy, cloud) for page in pages for database in page["DBInstances"])
    return tuple(resource for resource in found if resource.opted_in)


def _resource(database: Mapping[str, Any], policy: Policy, cloud: Cloud) -> Resource:
    tags, name = _tags(database), database["DBInstanceIdentifier"]
    return Resource(
        action=ACTION.name,
        name=name,
        environment=environment_in(tags, name, group_name=policy.group_name),
        region=cloud.region,
        account=cloud.account,
        settings={"running": _runs(database)},
        opted_in=tags.get(policy.opt_in.key) == policy.opt_in.value,
        left=_left(database),
        details={TYPE: _type(database), BILLED_AS: database.get("DBInstanceArn", "")},
    )


def _left(database: Mapping[str, Any]) -> str:
    """AWS stops none of these."""
    if database.get("DBClusterIdentifier"):
        return f"it is part of the cluster {database['DBClusterIdentifier']}"
    if database.get("ReadReplicaSourceDBInstanceIdentifier") or database.get("ReadReplicaDBInstanceIdentifiers"):
        return "it is a read replica, or has one"
    if database.get("MultiAZ") and str(database.get("Engine", "")).startswith("sqlserver"):
        return "SQL Server in several zones cannot be stopped"
    return ""


def _type(database: Mapping[str, Any]) -> str:
    """As prices name it: in several zones an hour costs about twice as much."""
    kind = str(database.get("DBInstanceClass", ""))
    return f"{kind}.multi-az" if kind and database.get("MultiAZ") else kind


def _runs(database: Mapping[str, Any]) -> bool | None:
    """None while it comes into being or goes."""
    status = database.get("DBInstanceStatus")
    if status in _STOPPED:
        return False
    return None if status in _GOING else True


def _tags(database: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in database.get("TagList", [])}


def observe(call: ApiCall, cloud: Cloud, _token: str) -> Observed | None:
    answer = cloud.reading("rds").describe_db_instances(
        Filters=[{"Name": "db-instance-id", "Values": [call.group]}]
    )
    database = next(iter(answer["DBInstances"]), None)
    if database is None:
        return None
    status = str(database.get("DBInstanceStatus"))
    return Observed(
        settings={"running": _runs(database)},
        tags=_tags(database),
        arrived=status in ("available", "stopped"),
        progress=status,
    )


def perform(call: ApiCall, cloud: Cloud, _token: str) -> Receipt:
    rds = cloud.changing("rds")
    ask = rds.stop_db_instance if call.permission == POWER.stop else rds.start_db_instance
    return Receipt(request_id_of(ask(**call.parameters)))


ACTION = Action(
    name="power_database",
    order=45,
    permissions=(POWER.stop, POWER.start, "rds:DescribeDBInstances"),
    describe=POWER.describe,
    propose=for_no_group,
    observe=observe,
    perform=perform,
    inverse=POWER.inverse,
    resources=POWER.resources(discover),
)
