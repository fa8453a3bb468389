"""One plan over two cloud accounts and two regions, one of them entered by a role."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from capstack.demo.cloud import IMAGE
from cloudpolicy.engine.document import parse_policy
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState
from cloudpolicy.services.clouds import Clouds
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.preview import preview_policy
from ledger.selectors.companies import company_ref
from tests.cloudpolicy.groups_of_five import FakeClock, approve, begin, begin_rollback, finish
from tests.cloudpolicy.steered_company import NOW, steered_company
from tests.cloudpolicy.strict_proxy import UPDATE, StrictProxy, Trouble

pytestmark = pytest.mark.django_db
MAIN, LABS = ("main", "us-east-1"), ("labs", "eu-west-1")
ACCOUNTS = """[
    {"company": "acme", "name": "main", "regions": ["us-east-1"]},
    {"company": "acme", "name": "labs", "role_arn": "arn:aws:iam::111111111111:role/capstack",
     "external_id": "xyz", "regions": ["eu-west-1"]}
]"""
# The same name in both: a group is known by account and region as well.
NAME = "capstack-staging-asg"


def autoscaling(place: tuple[str, str]) -> Any:
    account, region = place
    return Clouds("acme").at(account=account, region=region).changing("autoscaling")


def make_group(place: tuple[str, str], *, desired: int) -> None:
    account, region = place
    ec2 = Clouds("acme").at(account=account, region=region).changing("ec2")
    data = {"ImageId": IMAGE, "InstanceType": "t3.small"}
    made = ec2.create_launch_template(LaunchTemplateName="staging", LaunchTemplateData=data)
    autoscaling(place).create_auto_scaling_group(
        AutoScalingGroupName=NAME,
        MinSize=2,
        MaxSize=8,
        DesiredCapacity=desired,
        AvailabilityZones=[f"{region}a"],
        LaunchTemplate={"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "$Latest"},
        Tags=[{"Key": "capstack:managed", "Value": "true", "PropagateAtLaunch": False}],
    )


def size(place: tuple[str, str]) -> tuple[int, int, int]:
    (group,) = autoscaling(place).describe_auto_scaling_groups()["AutoScalingGroups"]
    return group["MinSize"], group["MaxSize"], group["DesiredCapacity"]


@pytest.fixture
def plan(strict_aws: StrictProxy, settings: Settings) -> ScalingPlan:
    settings.CLOUD_ACCOUNTS = ACCOUNTS
    company = steered_company(days=50)
    make_group(MAIN, desired=4)
    make_group(LABS, desired=6)
    made = plan_scaling(company_id=company.id, now=NOW)
    strict_aws.forget()
    return ScalingPlan.objects.get(pk=made.plan_id)


def test_each_call_is_made_in_its_own_account_and_taken_back_there(
    plan: ScalingPlan, strict_aws: StrictProxy
) -> None:
    assert {(call["account"], call["region"], call["group"]) for call in plan.calls} == {
        (*MAIN, NAME),
        (*LABS, NAME),
    }
    approve(plan)
    clock = FakeClock()
    assert finish(begin(plan), clock).state == RunState.DONE
    assert (size(MAIN), size(LABS)) == ((1, 4, 2), (1, 4, 2))
    assert strict_aws.sets == {NAME: 2}
    assert finish(begin_rollback(plan, now=clock.now()), clock).state == RunState.DONE
    assert (size(MAIN), size(LABS)) == ((2, 8, 4), (2, 8, 6))


def test_one_account_that_refuses_leaves_the_other_done_and_says_partly(
    plan: ScalingPlan, strict_aws: StrictProxy
) -> None:
    approve(plan)
    strict_aws.troubles.append(Trouble(UPDATE, status=400, code="AccessDenied", skip=1))
    clock = FakeClock()
    run = finish(begin(plan), clock)
    assert run.state == RunState.PARTLY
    assert "AccessDenied" in run.outcome
    assert sorted([size(MAIN)[2] - 4, size(LABS)[2] - 6]) in ([-2, 0], [-4, 0])
    assert finish(begin_rollback(plan, now=clock.now()), clock).state == RunState.DONE
    assert (size(MAIN), size(LABS)) == ((2, 8, 4), (2, 8, 6))


def test_a_role_that_is_lost_half_way_through_a_roll_back_leaves_the_rest_to_another_one(
    plan: ScalingPlan, strict_aws: StrictProxy
) -> None:
    approve(plan)
    clock = FakeClock()
    assert finish(begin(plan), clock).state == RunState.DONE
    # The account with the role comes last; put off before it, the run assumes the role anew, in vain.
    strict_aws.forget()
    strict_aws.troubles.append(Trouble(UPDATE, status=400, code="Throttling"))
    strict_aws.troubles.append(Trouble("AssumeRole", status=403, code="AccessDenied", skip=1))
    lost = finish(begin_rollback(plan, now=clock.now()), clock)
    assert lost.state == RunState.PARTLY
    where = f"{NAME} in labs, eu-west-1 cannot be read: the role of the cloud account labs is not given"
    assert lost.outcome.startswith(f"{where}: AWS refused AssumeRole: AccessDenied")
    assert (size(MAIN), size(LABS)) == ((2, 8, 4), (1, 4, 2))
    assert finish(begin_rollback(plan, now=clock.now()), clock).state == RunState.DONE
    assert (size(MAIN), size(LABS)) == ((2, 8, 4), (2, 8, 6))
    # Once each; the one that was throttled was not done.
    assert strict_aws.actions[UPDATE] == 3


def test_an_account_that_is_taken_out_of_the_settings_is_entered_no_more(
    plan: ScalingPlan, settings: Settings, strict_aws: StrictProxy
) -> None:
    approve(plan)
    run = begin(plan)
    settings.CLOUD_ACCOUNTS = '[{"company": "acme", "name": "main", "regions": ["us-east-1"]}]'
    ended = finish(run, FakeClock())
    assert ended.state == RunState.STOPPED
    assert "no cloud account is configured as 'labs' any more" in ended.outcome
    assert not strict_aws.sets


def test_a_preview_tells_groups_of_one_name_apart(plan: ScalingPlan) -> None:
    company = company_ref(company_id=plan.company_id)
    policy = parse_policy(FOUNDING_LADDER)
    preview = preview_policy(company=company, in_force=policy, proposed=policy, now=NOW)
    assert {(each.account, each.region, each.group) for each in preview.groups} == {(*MAIN, NAME), (*LABS, NAME)}
