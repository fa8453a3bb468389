"""The cloud as an action reaches it: clients from outside, and what several actions read through them alike."""

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

# An answer whose body nobody understands has its HTTP status for a code.
_NO_SUCH_CALL = frozenset({"404", "500", "501", "UnknownOperationException", "InvalidAction", "NotImplemented"})


class Cloud(Protocol):
    """The account and region of one call. Clients are those of boto3; their errors may pass through an action."""

    @property
    def account(self) -> str:
        """By its name in the settings."""

    @property
    def region(self) -> str: ...

    def reading(self, service: str) -> Any:
        """A client for Describe and its like; it repeats throttled and broken requests by itself."""

    def changing(self, service: str) -> Any:
        """A client that sends each request once: what becomes of one without an answer is found out by looking."""


def describe_group(cloud: Cloud, name: str) -> Mapping[str, Any] | None:
    """One auto-scaling group as DescribeAutoScalingGroups has it; None when there is none of that name."""
    answer = cloud.reading("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    return next(iter(answer["AutoScalingGroups"]), None)


def tags_of(described: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in described.get("Tags", [])}


def request_id_of(answer: Mapping[str, Any]) -> str:
    """The cloud's own number of a request, for its support and its audit trail; '' where it gave none."""
    return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))


def lacks_call(client: Any, refused: Exception) -> bool:
    """Whether an endpoint that is not AWS's own answered that it does not know a call, or with no words at all.

    AWS has every call; an error of its own is never taken for this.
    """
    host = urlsplit(str(client.meta.endpoint_url)).hostname or ""
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return False
    answer: Mapping[str, Any] = getattr(refused, "response", {}) or {}
    return answer.get("Error", {}).get("Code") in _NO_SUCH_CALL


def mixed_policy_as_request(client: Any, group: Mapping[str, Any]) -> dict[str, Any] | None:
    """The group's mixed-instances policy as UpdateAutoScalingGroup takes it; None when it has none."""
    described = group.get("MixedInstancesPolicy")
    if not described:
        return None
    policy: dict[str, Any] = as_request(client, "UpdateAutoScalingGroup", "MixedInstancesPolicy", described)
    specification = policy.get("LaunchTemplate", {}).get("LaunchTemplateSpecification", {})
    if specification.get("LaunchTemplateId"):
        specification.pop("LaunchTemplateName", None)  # A request names a template one way, an answer both.
    return policy


def as_request(client: Any, operation: str, parameter: str, described: Any) -> Any:
    """What was described, as the same thing can be asked for: without the members that only answers have.

    Args:
        operation, parameter: of the request, e.g. `CreateLaunchTemplateVersion`, `LaunchTemplateData`.
    """
    shape = client.meta.service_model.operation_model(operation).input_shape.members[parameter]
    return _within(shape, described)


def _within(shape: Any, content: Any) -> Any:
    if shape.type_name == "structure" and isinstance(content, Mapping):
        members = shape.members
        return {key: _within(members[key], value) for key, value in content.items() if key in members}
    if shape.type_name == "list" and isinstance(content, list):
        return [_within(shape.member, each) for each in content]
    return content
