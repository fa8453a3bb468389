"""What plans do besides sizes and spot: instances, databases, requests, processes and budgets."""

import boto3
import pytest
from botocore.exceptions import ClientError

from cloudpolicy.actions import spot_request
from cloudpolicy.engine.cloud import lacks_call
from cloudpolicy.models.held_resource import HeldResource
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState
from cloudpolicy.selectors.plans import latest_plan
from cloudpolicy.services.aws import client
from cloudpolicy.services.policies import enable_policy
from tests.cloudpolicy.budgets_of_aws import tag_budget
from tests.cloudpolicy.groups_of_five import FakeClock, approve, begin, begin_rollback, die_and_resume, finish
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steer
from tests.cloudpolicy.strict_proxy import StrictProxy, Trouble
from tests.cloudpolicy.things_of_dev import (
    BUDGET,
    BUDGET_RULE,
    GROUP,
    REGION,
    Things,
    budget,
    calls_by_action,
    make_budget,
    make_things,
    open_again,
    plan_of,
    planned,
    policy_document,
    spot_requests,
    state_of,
    state_of_database,
    suspended,
)

pytestmark = pytest.mark.django_db
NOTHING = {"stopped": [], "suspended_processes": [], "budget": None}
MADE_ONCE = ("CancelSpotInstanceRequests", "StopInstances", "StopDBInstance", "SuspendProcesses", "CreateBudget")


@pytest.fixture
def things(strict_aws: StrictProxy) -> Things:
    made = make_things()
    strict_aws.forget()
    return made


def applied(plan: ScalingPlan) -> RunState:
    approve(plan)
    run = finish(begin(plan), FakeClock())
    assert run.outcome == ""
    return RunState(run.state)


def is_held(things: Things) -> bool:
    return (
        state_of(things.instance) == "stopped"
        and state_of_database() == "stopped"
        and spot_requests() == []
        and suspended() == {"AZRebalance", "AlarmNotification"}
    )


def is_as_before(things: Things) -> bool:
    return (
        state_of(things.instance) == "running"
        and state_of_database() == "available"
        and [each["State"] for each in spot_requests()] in (["open"], ["active"])
        and suspended() == set()
    )


def test_a_plan_says_in_plain_words_what_it_stops_and_changes_nothing(
    strict_aws: StrictProxy, things: Things
) -> None:
    company, _ = planned()
    plan = latest_plan(company_id=company.id)
    assert plan is not None
    assert [call["says"] for call in plan.calls] == [
        f"resize {GROUP} from 2 to 1 instance",
        f"suspend AZRebalance, AlarmNotification of {GROUP}",
        f"stop the database {things.database}",
        f"stop the instance {things.instance}",
        f"create the budget {BUDGET} of 500 USD a month",
        f"cancel the request for spot {things.request}",
    ]
    assert not strict_aws.mutating


def test_what_the_policy_does_not_speak_of_is_not_even_read(strict_aws: StrictProxy, things: Things) -> None:
    _, plan = planned(**NOTHING)
    assert set(calls_by_action(plan)) == {"resize_group"}
    assert set(strict_aws.actions) == {"DescribeAutoScalingGroups", "DescribeLaunchTemplateVersions"}


def test_everything_is_read_in_a_request_each(strict_aws: StrictProxy, things: Things) -> None:
    planned()
    assert strict_aws.actions == {
        "DescribeAutoScalingGroups": 1,
        "DescribeLaunchTemplateVersions": 1,
        "DescribeInstances": 1,
        "DescribeDBInstances": 1,
        "DescribeSpotInstanceRequests": 1,
        "GetCallerIdentity": 1,
        "DescribeBudgets": 1,
    }


def test_all_of_it_is_done_and_runs_again_when_the_row_is_left(strict_aws: StrictProxy, things: Things) -> None:
    company, plan = planned()
    assert applied(plan) == RunState.DONE
    assert is_held(things)
    assert budget() == (500.0, [80.0])
    assert (state_of(things.of_production), state_of(things.untagged)) == ("running", "running")
    assert all(strict_aws.mutating[name] == 1 for name in MADE_ONCE)
    assert plan_of(company).calls == [], "what stands still already is not stopped again"
    steer(company, days=300)
    again = plan_of(company)
    assert {call["action"] for call in again.calls} == {
        "power_instance", "power_database", "spot_request", "resume_processes", "resize_group",
    }  # fmt: skip
    assert applied(again) == RunState.DONE
    assert is_as_before(things)
    assert budget() == (500.0, [80.0]), "a budget is not loosened because a row is left"
    assert not HeldResource.objects.filter(released_at__isnull=True).exists()
    (request,) = spot_requests()
    specification = request["LaunchSpecification"]
    assert (specification["KeyName"], request["Type"], float(request["SpotPrice"])) == ("ops", "persistent", 0.5)


def test_a_roll_back_takes_all_of_it_back(strict_aws: StrictProxy, things: Things) -> None:
    _, plan = planned()
    applied(plan)
    back = finish(begin_rollback(plan), FakeClock())
    assert (back.state, back.outcome) == (RunState.DONE, "")
    assert is_as_before(things)
    assert budget() is None
    assert not HeldResource.objects.filter(released_at__isnull=True).exists()


def test_rolling_a_restore_back_holds_everything_again(strict_aws: StrictProxy, things: Things) -> None:
    company, plan = planned()
    applied(plan)
    steer(company, days=300)
    again = plan_of(company)
    applied(again)
    open_again(spot_requests()[0]["SpotInstanceRequestId"])
    back = finish(begin_rollback(again), FakeClock())
    assert (back.state, back.outcome) == (RunState.DONE, "")
    assert is_held(things)
    assert HeldResource.objects.filter(released_at__isnull=True).count() == 3


def test_killed_at_every_line_of_its_journal_each_thing_is_changed_once(
    strict_aws: StrictProxy, things: Things
) -> None:
    """Carrying out, the engine dies before each line: asked and nothing noted; taking back, after each."""
    _, plan = planned()
    approve(plan)
    clock = FakeClock()
    run, deaths = die_and_resume(begin(plan), clock, after=False)
    assert (run.state, run.outcome) == (RunState.DONE, "")
    assert deaths >= 3 * len(plan.calls)
    assert is_held(things)
    assert sum(strict_aws.mutating.values()) == len(plan.calls)
    strict_aws.forget()
    back, _ = die_and_resume(begin_rollback(plan), clock, after=True)
    assert (back.state, back.outcome) == (RunState.DONE, "")
    assert is_as_before(things)
    assert sum(strict_aws.mutating.values()) == len(back.calls or ())


@pytest.mark.parametrize("name", MADE_ONCE)
def test_a_call_without_an_answer_is_settled_by_looking(
    strict_aws: StrictProxy, things: Things, name: str
) -> None:
    _, plan = planned()
    strict_aws.troubles = [Trouble(name, 500, "InternalFailure", does_it=True)]
    assert applied(plan) == RunState.DONE
    assert is_held(things)
    assert strict_aws.mutating[name] == 1


def test_a_request_that_is_made_again_is_recognised_when_its_answer_gets_lost(
    strict_aws: StrictProxy, things: Things
) -> None:
    _, plan = planned()
    applied(plan)
    strict_aws.troubles = [Trouble("RequestSpotInstances", 0, does_it=True)]
    assert finish(begin_rollback(plan), FakeClock()).state == RunState.DONE
    assert len(spot_requests()) == 1
    assert strict_aws.mutating["RequestSpotInstances"] == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [("StopInstances", "RequestLimitExceeded"), ("StopDBInstance", "Throttling"), ("CreateBudget", "Throttling")],
)
def test_throttling_is_waited_out(strict_aws: StrictProxy, things: Things, name: str, code: str) -> None:
    _, plan = planned()
    strict_aws.troubles = [Trouble(name, 400, code), Trouble(name, 400, code)]
    assert applied(plan) == RunState.DONE
    assert strict_aws.mutating[name] == 3
    assert is_held(things)


def test_what_was_stopped_by_its_owner_is_never_started(strict_aws: StrictProxy, things: Things) -> None:
    client("ec2", region=REGION).stop_instances(InstanceIds=[things.instance])
    company, plan = planned()
    assert "power_instance" not in calls_by_action(plan)
    applied(plan)
    steer(company, days=300)
    applied(plan_of(company))
    assert state_of(things.instance) == "stopped"
    assert state_of_database() == "available"


def test_what_somebody_started_meanwhile_is_forgotten(strict_aws: StrictProxy, things: Things) -> None:
    company, plan = planned(stopped=["instances"])
    applied(plan)
    steer(company, days=300)
    client("ec2", region=REGION).start_instances(InstanceIds=[things.instance])
    assert "power_instance" not in calls_by_action(plan_of(company))
    assert not HeldResource.objects.filter(released_at__isnull=True).exists()


def test_an_instance_of_a_group_is_the_groups(strict_aws: StrictProxy, things: Things) -> None:
    _, plan = planned()
    assert [call["group"] for call in calls_by_action(plan)["power_instance"]] == [things.instance]


def test_a_request_with_user_data_is_left_to_a_person(strict_aws: StrictProxy) -> None:
    # The server forgets user data when it describes a request; AWS tells it.
    described = {"LaunchSpecification": {"ImageId": "ami-1", "UserData": "c2VjcmV0"}}
    ec2 = client("ec2", region=REGION)
    assert "c2VjcmV0" not in str(spot_request._asked_for(described, ec2))
    assert spot_request._left(described) == "it carries user data, which is not kept"


# --- Processes ---------------------------------------------------------------------------------------------


def schedule() -> None:
    client("autoscaling", region=REGION).put_scheduled_update_group_action(
        AutoScalingGroupName=GROUP, ScheduledActionName="night", Recurrence="0 20 * * *", DesiredCapacity=0
    )


@pytest.mark.parametrize(("asked", "stands"), [(False, ["AZRebalance"]), (True, ["AZRebalance", "Launch"])])
def test_what_scheduled_actions_need_runs_on_unless_asked_for(
    strict_aws: StrictProxy, things: Things, asked: bool, stands: list[str]
) -> None:
    schedule()
    _, plan = planned(**NOTHING | {"suspended_processes": ["AZRebalance", "Launch"], "may_stop_schedules": asked})
    (call,) = calls_by_action(plan)["suspend_processes"]
    assert sorted(call["after"]) == stands
    said = [warning["text"] for warning in plan.warnings]
    assert (f"{GROUP}: Launch runs on: its scheduled actions need it" in said) is not asked


def test_a_group_without_scheduled_actions_needs_none(strict_aws: StrictProxy, things: Things) -> None:
    _, plan = planned(**NOTHING | {"suspended_processes": ["Launch"]})
    assert "suspend_processes" in calls_by_action(plan)
    assert strict_aws.actions["DescribeScheduledActions"] == 1


# --- Budgets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "may_loosen", "becomes"),
    [
        ((900, 90), False, (500.0, [80.0])),
        ((400, 70), False, (400.0, [70.0])),
        ((400, 70), True, (500.0, [80.0])),
        ((900, None), False, (500.0, [80.0])),
    ],
    ids=["tightened", "not loosened", "loosened as asked", "given its alert"],
)
def test_a_budget_is_only_ever_tightened_unless_asked_and_a_roll_back_restores_it(
    strict_aws: StrictProxy,
    things: Things,
    there: tuple[int, int | None],
    may_loosen: bool,
    becomes: tuple[float, list[float]],
) -> None:
    usd, alert = there
    make_budget(usd=usd, alert=alert)
    before = budget()
    _, plan = planned(stopped=[], suspended_processes=[], budget=BUDGET_RULE | {"may_loosen": may_loosen})
    applied(plan)
    assert budget() == becomes
    assert finish(begin_rollback(plan), FakeClock()).state == RunState.DONE
    assert budget() == before


def test_a_budget_without_the_opt_in_tag_is_somebody_elses(strict_aws: StrictProxy, things: Things) -> None:
    make_budget(usd=900, alert=90)
    tag_budget(BUDGET, {"owner": "finance"})
    _, plan = planned()
    assert "set_budget" not in calls_by_action(plan)


def test_a_budget_that_lost_its_tag_since_is_not_touched(strict_aws: StrictProxy, things: Things) -> None:
    make_budget(usd=900, alert=90)
    _, plan = planned(**NOTHING | {"budget": BUDGET_RULE})
    tag_budget(BUDGET, {})
    approve(plan)
    run = finish(begin(plan), FakeClock())
    assert run.state == RunState.STOPPED
    assert "no longer carries the tag" in run.outcome
    assert budget() == (900.0, [90.0])


def test_without_an_address_a_budget_alerts_nobody_and_the_plan_says_so(
    strict_aws: StrictProxy, things: Things
) -> None:
    _, plan = planned(**NOTHING | {"budget": {"usd_per_month": 500}})
    assert "budget_tells_nobody" in {warning["code"] for warning in plan.warnings}
    applied(plan)
    assert budget() == (500.0, [])


# --- An endpoint that tells no tags of budgets --------------------------------------------------------------


def test_our_own_journal_says_whose_a_budget_is_where_its_tags_cannot_be_read(aws: RecordingProxy) -> None:
    make_things()
    company, plan = planned(stopped=[], suspended_processes=[])
    assert set(calls_by_action(plan)) == {"resize_group", "set_budget"}
    assert applied(plan) == RunState.DONE
    assert budget() == (500.0, [80.0])
    assert plan_of(company).calls == []
    tighter = policy_document(
        stopped=[], suspended_processes=[], budget=BUDGET_RULE | {"usd_per_month": 400, "alert_percent": 80}
    )
    enable_policy(company_id=company.id, document=tighter, actor="test", because="less is enough", now=NOW)
    (call,) = calls_by_action(plan_of(company))["set_budget"]
    assert call["after"] == {"usd_per_month": 400}


def test_where_no_tags_can_be_read_a_budget_of_others_is_left_and_the_plan_goes_on(
    aws: RecordingProxy,
) -> None:
    make_things()
    make_budget(usd=900, alert=90)
    _, plan = planned(stopped=[], suspended_processes=[])
    assert set(calls_by_action(plan)) == {"resize_group"}
    assert "tags_unread" in {warning["code"] for warning in plan.warnings}


def test_aws_itself_is_never_taken_for_an_endpoint_that_lacks_the_call() -> None:
    refused = ClientError({"Error": {"Code": "500", "Message": ""}}, "ListTagsForResource")
    for url, lacks in (
        ("https://budgets.amazonaws.com", False),
        ("https://budgets.cn-north-1.amazonaws.com.cn", False),
        ("http://127.0.0.1:5000", True),
    ):
        with_url = boto3.client(
            "budgets", region_name=REGION, endpoint_url=url, aws_access_key_id="x", aws_secret_access_key="x"
        )
        assert lacks_call(with_url, refused) is lacks
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "ListTagsForResource")
    assert not lacks_call(with_url, denied)
