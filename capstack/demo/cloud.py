"""The demo company's auto-scaling groups, made on an AWS-compatible server of our own and nowhere else."""

from dataclasses import dataclass
from typing import Any

from cloudpolicy.services.aws import client, is_loopback, one_line_errors

IMAGE = "ami-12c6146b"
OPT_IN = {"Key": "capstack:managed", "Value": "true", "PropagateAtLaunch": False}


class NotOurServer(Exception):
    """The endpoint is not on this machine, so it may be somebody's real cloud."""


@dataclass(frozen=True, slots=True)
class DemoGroup:
    """One group to make.

    Attributes:
        on_demand_percent: share of a mixed-instances policy; None for a plain launch template
            that asks for spot itself.
    """

    environment: str
    min: int
    max: int
    desired: int
    instance_type: str
    on_demand_percent: int | None

    @property
    def name(self) -> str:
        return f"capstack-{self.environment}-asg"


DEMO_GROUPS = (
    DemoGroup("dev", 1, 4, 3, "m6i.2xlarge", on_demand_percent=None),
    DemoGroup("staging", 2, 6, 4, "m6i.4xlarge", on_demand_percent=25),
    DemoGroup("production", 3, 12, 8, "r6i.8xlarge", on_demand_percent=50),
)


def seed_groups(*, endpoint: str, region: str) -> tuple[str, ...]:
    """Make the demo's launch templates and groups where they are missing.

    Returns:
        Names of the groups that were made; empty when all were there.

    Raises:
        NotOurServer: the endpoint is not a loopback address.
        CloudUnavailable: the server does not answer.
    """
    if not is_loopback(endpoint):
        raise NotOurServer(f"demo groups are made on a loopback endpoint only, not on {endpoint or 'AWS'}")
    autoscaling = client("autoscaling", region=region, endpoint=endpoint)
    ec2 = client("ec2", region=region, endpoint=endpoint)
    with one_line_errors():
        names = [group.name for group in DEMO_GROUPS]
        described = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=names)
        present = {group["AutoScalingGroupName"] for group in described["AutoScalingGroups"]}
        missing = [group for group in DEMO_GROUPS if group.name not in present]
        for group in missing:
            _create_group(autoscaling, group, template_id=_create_template(ec2, group), zone=f"{region}a")
    return tuple(group.name for group in missing)


def _create_template(ec2: Any, group: DemoGroup) -> str:
    name = f"capstack-{group.environment}"
    known = ec2.describe_launch_templates(Filters=[{"Name": "launch-template-name", "Values": [name]}])
    if known["LaunchTemplates"]:
        return str(known["LaunchTemplates"][0]["LaunchTemplateId"])
    data: dict[str, Any] = {"ImageId": IMAGE, "InstanceType": group.instance_type}
    if group.on_demand_percent is None:
        data["InstanceMarketOptions"] = {"MarketType": "spot"}
    created = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    return str(created["LaunchTemplate"]["LaunchTemplateId"])


def _create_group(autoscaling: Any, group: DemoGroup, *, template_id: str, zone: str) -> None:
    template = {"LaunchTemplateId": template_id, "Version": "$Latest"}
    market: dict[str, Any] = {"LaunchTemplate": template}
    if group.on_demand_percent is not None:
        market = {
            "MixedInstancesPolicy": {
                "LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": []},
                "InstancesDistribution": {
                    "OnDemandBaseCapacity": 1,
                    "OnDemandPercentageAboveBaseCapacity": group.on_demand_percent,
                    "SpotAllocationStrategy": "price-capacity-optimized",
                },
            }
        }
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=group.name,
        MinSize=group.min,
        MaxSize=group.max,
        DesiredCapacity=group.desired,
        AvailabilityZones=[zone],
        Tags=[OPT_IN | {"ResourceId": group.name, "ResourceType": "auto-scaling-group"}],
        **market,
    )
