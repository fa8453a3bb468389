"""Cancel requests for spot instances that are still open, and ask for the same again.

One that is fulfilled is left: cancelling it would not end its instance, and asking again would start a second.
What was cancelled is gone, so taking that back makes another request. All that it asked for is kept with the plan,
hence one that carries user data, which may hold secrets, is left to a person.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudpolicy.engine.action import Action, Observed, Proposal, Receipt, Resources, for_no_group
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.cloud import Cloud, as_request, request_id_of, tags_of
from cloudpolicy.engine.describe import environment_in
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.policy import Policy, Rule
from cloudpolicy.engine.resource import Resource, call_on

WORD = "spot_requests"
CANCEL, REQUEST, TAG = "ec2:CancelSpotInstanceRequests", "ec2:RequestSpotInstances", "ec2:CreateTags"
REQUESTS_PER_PAGE = 1000
# The number of a request is known once it is made; whoever makes the calls puts it in the place of this.
NEW_REQUEST = "{number of the new request}"
# Written on a request that is made, so that it is recognised when the answer got lost.
MADE_BY_TAG = "capstack:step"
_COPIED = ("SpotPrice", "Type", "LaunchGroup", "AvailabilityZoneGroup", "InstanceInterruptionBehavior")


def discover(cloud: Cloud, policy: Policy, _groups: Sequence[Group]) -> Sequence[Resource]:
    ec2 = cloud.reading("ec2")
    pages = ec2.get_paginator("describe_spot_instance_requests").paginate(
        Filters=[
            {"Name": f"tag:{policy.opt_in.key}", "Values": [policy.opt_in.value]},
            {"Name": "state", "Values": ["open"]},
        ],
        PaginationConfig={"PageSize": REQUESTS_PER_PAGE},
    )
    return tuple(
        _resource(request, policy, cloud, ec2) for page in pages for request in page["SpotInstanceRequests"]
    )


def _resource(request: Mapping[str, Any], policy: Policy, cloud: Cloud, ec2: Any) -> Resource:
    tags, name = tags_of(request), request["SpotInstanceRequestId"]
    return Resource(
        action=ACTION.name,
        name=name,
        environment=environment_in(tags, tags.get("Name", ""), group_name=policy.group_name),
        region=cloud.region,
        account=cloud.account,
        settings={"bids": True, "request": name},
        opted_in=tags.get(policy.opt_in.key) == policy.opt_in.value,
        left=_left(request),
        details=_asked_for(request, ec2),
    )


def _left(request: Mapping[str, Any]) -> str:
    if request.get("LaunchSpecification", {}).get("UserData"):
        return "it carries user data, which is not kept"
    if request.get("ValidFrom") or request.get("ValidUntil"):
        return "it is for a time"
    return ""


def _asked_for(request: Mapping[str, Any], ec2: Any) -> dict[str, Any]:
    """The request as it can be made again, without secrets."""
    specified = request.get("LaunchSpecification", {})
    described = {key: value for key, value in specified.items() if value not in ({}, []) and key != "UserData"}
    groups = described.pop("SecurityGroups", None)
    specification = as_request(ec2, "RequestSpotInstances", "LaunchSpecification", described)
    if groups:
        specification["SecurityGroupIds"] = [each["GroupId"] for each in groups]
    asked = {key: request[key] for key in _COPIED if request.get(key)}
    return {**asked, "LaunchSpecification": specification, "tags": tags_of(request)}


def propose(resource: Resource, rule: Rule, _policy: Policy) -> Proposal:
    call = call_on(
        resource,
        permission=CANCEL,
        after={"bids": False, "request": resource.name},
        parameters={"request": resource.name, "again": dict(resource.details)},
        because=rule.name,
    )
    return Proposal(calls=(call,))


def observe(call: ApiCall, cloud: Cloud, token: str) -> Observed | None:
    tags: Mapping[str, str] = call.parameters["again"]["tags"]
    if call.permission == REQUEST:
        made = _find(cloud, [{"Name": f"tag:{MADE_BY_TAG}", "Values": [token]}])
        if made is None:
            return Observed(dict(call.before), tags)
        number = made["SpotInstanceRequestId"]
        settings = {"bids": made["State"] in ("open", "active"), "request": number}
        return Observed(settings, tags_of(made), learned={NEW_REQUEST: number})
    number = call.parameters["request"]
    request = _find(cloud, [{"Name": "spot-instance-request-id", "Values": [number]}])
    if request is None or request["State"] == "cancelled":
        return Observed({"bids": False, "request": number}, tags)
    # Fulfilled meanwhile, closed or failed: neither open nor cancelled.
    waits = True if request["State"] == "open" else None
    return Observed({"bids": waits, "request": number}, tags_of(request), progress=request["State"])


def perform(call: ApiCall, cloud: Cloud, token: str) -> Receipt:
    ec2 = cloud.changing("ec2")
    if call.permission == CANCEL:
        answer = ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[call.parameters["request"]])
        return Receipt(request_id_of(answer))
    again = dict(call.parameters["again"])
    tags = {**again.pop("tags"), MADE_BY_TAG: token}
    answer = ec2.request_spot_instances(
        **again,
        ClientToken=token,
        TagSpecifications=[
            {
                "ResourceType": "spot-instances-request",
                # Names that begin with aws: are AWS's own to give.
                "Tags": [
                    {"Key": key, "Value": value} for key, value in tags.items() if not key.startswith("aws:")
                ],
            }
        ],
    )
    return Receipt(
        request_id_of(answer), {NEW_REQUEST: answer["SpotInstanceRequests"][0]["SpotInstanceRequestId"]}
    )


def inverse(call: ApiCall, before: Mapping[str, Any]) -> ApiCall:
    if call.permission == CANCEL:
        after = {"bids": True, "request": NEW_REQUEST}
        return call._replace(before=call.after, after=after, permission=REQUEST)
    number = call.after["request"]
    return call._replace(
        before=call.after,
        after={**before, "request": number},
        permission=CANCEL,
        parameters={**call.parameters, "request": number},
    )


def _find(cloud: Cloud, filters: list[dict[str, Any]]) -> Mapping[str, Any] | None:
    answer = cloud.reading("ec2").describe_spot_instance_requests(Filters=filters)
    return next(iter(answer["SpotInstanceRequests"]), None)


def describe(call: ApiCall) -> str:
    if call.permission == CANCEL:
        return f"cancel the request for spot {call.parameters['request']}"
    return f"ask again for the spot instance of {call.parameters['request']}"


ACTION = Action(
    name="spot_request",
    order=35,
    permissions=(CANCEL, REQUEST, TAG, "ec2:DescribeSpotInstanceRequests"),
    describe=describe,
    propose=for_no_group,
    observe=observe,
    perform=perform,
    inverse=inverse,
    resources=Resources(
        word=WORD,
        wanted=lambda policy: any(WORD in rule.stopped for rule in policy.rules),
        discover=discover,
        propose=propose,
        comes_back_new=True,
    ),
    untagged=(REQUEST, TAG),
)
