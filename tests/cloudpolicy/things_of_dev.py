"""One of each thing that a policy may stop or limit, at a server, and a policy that does so below 60 days."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from capstack.demo.cloud import IMAGE
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.services.aws import client
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.policies import enable_policy
from ledger.domain.company import CompanyRef
from tests.cloudpolicy.steered_company import NOW, steered_company

REGION = "us-east-1"
GROUP = "capstack-dev-asg"
BUDGET = "capstack-dev"
TAGS = {"capstack:managed": "true", "capstack:environment": "dev"}
BUDGET_RULE = {"usd_per_month": 500, "alert_percent": 80, "notify": "cfo@example.com"}


@dataclass(frozen=True)
class Things:
    """What was made, by the numbers that the server gave."""

    instance: str
    of_production: str
    untagged: str
    database: str
    request: str


def policy_document(**rule: Any) -> dict[str, Any]:
    """The founding ladder with another rule for dev below 60 days, and no other row."""
    document = deepcopy(FOUNDING_LADDER)
    asked = {
        "stopped": ["databases", "instances", "spot_requests"],
        "suspended_processes": ["AZRebalance", "AlarmNotification"],
        "budget": BUDGET_RULE,
    }
    document["rows"] = [document["rows"][3] | asked | rule]
    return document


def make_things() -> Things:
    ec2, autoscaling = client("ec2", region=REGION), client("autoscaling", region=REGION)
    made = ec2.create_launch_template(
        LaunchTemplateName="dev", LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "t3.small"}
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        MinSize=1,
        MaxSize=4,
        DesiredCapacity=2,
        AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "$Latest"},
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in TAGS.items()],
    )
    client("rds", region=REGION).create_db_instance(
        DBInstanceIdentifier="dev-db",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="owner",
        MasterUserPassword="a-password",
        AllocatedStorage=20,
        Tags=_pairs(TAGS),
    )
    return Things(
        instance=make_instance(TAGS),
        of_production=make_instance({**TAGS, "capstack:environment": "production"}),
        untagged=make_instance({"capstack:environment": "dev"}),
        database="dev-db",
        request=request_spot(TAGS),
    )


def make_instance(tags: dict[str, str], *, region: str = REGION) -> str:
    answer = client("ec2", region=region).run_instances(
        ImageId=IMAGE,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": _pairs(tags)}],
    )
    return str(answer["Instances"][0]["InstanceId"])


def request_spot(tags: dict[str, str], **specification: str) -> str:
    answer = client("ec2", region=REGION).request_spot_instances(
        SpotPrice="0.5",
        Type="persistent",
        LaunchSpecification={"ImageId": IMAGE, "InstanceType": "t3.small", "KeyName": "ops", **specification},
        TagSpecifications=[{"ResourceType": "spot-instances-request", "Tags": _pairs(tags)}],
    )
    number = str(answer["SpotInstanceRequests"][0]["SpotInstanceRequestId"])
    open_again(number)
    return number


def open_again(number: str) -> None:
    """The server fulfils a request at once; here it waits, as it does when spot is scarce."""
    ec2_backends[DEFAULT_ACCOUNT_ID][REGION].spot_instance_requests[number].state = "open"


def spot_requests() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client("ec2", region=REGION).describe_spot_instance_requests()[
        "SpotInstanceRequests"
    ]
    return found


def state_of(instance: str) -> str:
    (reservation,) = client("ec2", region=REGION).describe_instances(InstanceIds=[instance])["Reservations"]
    return str(reservation["Instances"][0]["State"]["Name"])


def state_of_database() -> str:
    (database,) = client("rds", region=REGION).describe_db_instances(DBInstanceIdentifier="dev-db")["DBInstances"]
    return str(database["DBInstanceStatus"])


def suspended() -> set[str]:
    (group,) = client("autoscaling", region=REGION).describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])[
        "AutoScalingGroups"
    ]
    return {each["ProcessName"] for each in group["SuspendedProcesses"]}


def budget() -> tuple[float, list[float]] | None:
    """Limit and alerts of dev's budget; None while there is none."""
    budgets = client("budgets", region=REGION)
    found = budgets.describe_budgets(AccountId=DEFAULT_ACCOUNT_ID)["Budgets"]
    if not found:
        return None
    alerts = budgets.describe_notifications_for_budget(AccountId=DEFAULT_ACCOUNT_ID, BudgetName=BUDGET)
    return float(found[0]["BudgetLimit"]["Amount"]), [each["Threshold"] for each in alerts["Notifications"]]


def make_budget(*, usd: int, alert: int | None = None, tags: dict[str, str] = TAGS) -> None:
    notification = {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": float(alert or 0),
        "ThresholdType": "PERCENTAGE",
    }
    told = {"Notification": notification, "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@b.io"}]}
    client("budgets", region=REGION).create_budget(
        AccountId=DEFAULT_ACCOUNT_ID,
        Budget={
            "BudgetName": BUDGET,
            "BudgetLimit": {"Amount": str(usd), "Unit": "USD"},
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
        },
        NotificationsWithSubscribers=[told] if alert is not None else [],
        ResourceTags=_pairs(tags),
    )


def planned(*, days: int = 50, **rule: Any) -> tuple[CompanyRef, ScalingPlan]:
    company = steered_company(days=days)
    enable_policy(
        company_id=company.id, document=policy_document(**rule), actor="test", because="the test wants it", now=NOW
    )
    return company, plan_of(company)


def plan_of(company: CompanyRef) -> ScalingPlan:
    return ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=NOW).plan_id)


def calls_by_action(plan: ScalingPlan) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for call in plan.calls:
        found.setdefault(call["action"], []).append(call)
    return found


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
