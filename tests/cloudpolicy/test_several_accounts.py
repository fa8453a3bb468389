"""One plan over two accounts and two regions, entered by assumed roles; and steps towards kept sizes."""

from itertools import product

import pytest
from pytest_django.fixtures import Settings

from capstack.demo.cloud import IMAGE
from cloudpolicy.models.group_size import GroupSize
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState
from cloudpolicy.services.clouds import Clouds
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.policies import enable_policy
from ledger.domain.company import CompanyRef
from tests.cloudpolicy.groups_of_five import FakeClock, approve, begin, begin_rollback, finish
from tests.cloudpolicy.steered_company import NOW, steer, steered_company
from tests.cloudpolicy.strict_proxy import StrictProxy
from tests.cloudpolicy.things_of_dev import GROUP, TAGS, policy_document

pytestmark = pytest.mark.django_db
REGIONS = ("us-east-1", "eu-west-1")
ACCOUNTS = """[
    {"company": "acme", "name": "main", "regions": ["us-east-1", "eu-west-1"]},
    {"company": "acme", "name": "labs", "role_arn": "arn:aws:iam::111111111111:role/capstack",
     "external_id": "xyz", "regions": ["us-east-1", "eu-west-1"]}
]"""
PLACES = tuple(product(("main", "labs"), REGIONS))


def make_group(account: str, region: str, *, desired: int = 4) -> None:
    """Groups of one name in each place: nothing may take one for another."""
    cloud = Clouds("acme").at(account=account, region=region)
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    made = cloud.changing("ec2").create_launch_template(
        LaunchTemplateName="dev",
        LaunchTemplateData={"ImageId": IMAGE, "InstanceMarketOptions": {"MarketType": "spot"}},
    )
    cloud.changing("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        MinSize=1,
        MaxSize=8,
        DesiredCapacity=desired,
        AvailabilityZones=[f"{region}a"],
        LaunchTemplate={"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"},
        Tags=[tag | {"PropagateAtLaunch": False} for tag in tags],
    )
    cloud.changing("ec2").run_instances(
        ImageId=IMAGE, MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}]
    )


def seen(account: str, region: str) -> tuple[int, str, str]:
    """Wanted instances, the version that the group follows, and the state of the single instance."""
    cloud = Clouds("acme").at(account=account, region=region)
    (group,) = cloud.reading("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    tagged = [{"Name": "tag:capstack:managed", "Values": ["true"]}]
    (single,) = cloud.reading("ec2").describe_instances(Filters=tagged)["Reservations"]
    return group["DesiredCapacity"], group["LaunchTemplate"]["Version"], single["Instances"][0]["State"]["Name"]


def planned(company: CompanyRef) -> ScalingPlan:
    plan = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=NOW).plan_id)
    if plan.calls:
        approve(plan)
    return plan


def company_under(**rule: object) -> CompanyRef:
    company = steered_company(days=50)
    document = policy_document(**rule)
    enable_policy(company_id=company.id, document=document, actor="test", because="the test", now=NOW)
    return company


def test_a_plan_over_two_accounts_and_two_regions_is_applied_and_taken_back(
    strict_aws: StrictProxy, settings: Settings
) -> None:
    settings.CLOUD_ACCOUNTS = ACCOUNTS
    for place in PLACES:
        make_group(*place)
    plan = planned(company_under(stopped=["instances"], suspended_processes=[], budget=None))
    assert {(call["account"], call["region"]) for call in plan.calls} == set(PLACES)
    strict_aws.forget()
    run = finish(begin(plan), FakeClock())
    assert (run.state, run.outcome) == (RunState.DONE, "")
    assert {seen(*place) for place in PLACES} == {(1, "2", "stopped")}
    assert sum(strict_aws.mutating.values()) == len(plan.calls) == 4 * len(PLACES)
    assert strict_aws.actions["AssumeRole"] >= 1
    back = finish(begin_rollback(plan), FakeClock())
    assert (back.state, back.outcome) == (RunState.DONE, "")
    assert {seen(*place) for place in PLACES} == {(4, "1", "running")}


def test_a_size_is_kept_until_the_last_step_towards_it_is_done(
    strict_aws: StrictProxy, settings: Settings
) -> None:
    make_group("", "us-east-1", desired=8)
    company = steered_company(days=50)
    document = policy_document(stopped=[], suspended_processes=[], budget=None)
    document["limits"]["step_percent"] = 50
    enable_policy(company_id=company.id, document=document, actor="test", because="the test", now=NOW)
    down = [_step(company) for _ in range(4)]
    assert down == [4, 2, 1, None]
    steer(company, days=300)
    up = []
    for _ in range(9):
        up.append(_step(company))
        if up[-1] is None:
            break
        assert GroupSize.objects.filter(restored_at__isnull=True).exists() is (up[-1] != 8)
    assert up == [2, 3, 4, 6, 8, None]


def _step(company: CompanyRef) -> int | None:
    """Carry one plan out; returns what is wanted after it, None when there was nothing to do."""
    plan = planned(company)
    if not plan.calls:
        return None
    run = finish(begin(plan), FakeClock())
    assert (run.state, run.outcome) == (RunState.DONE, "")
    return seen("", "us-east-1")[0]
