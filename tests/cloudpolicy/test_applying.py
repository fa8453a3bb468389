"""Carrying plans out against an AWS-compatible server that refuses and fails as AWS does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from cloudpolicy.actions import resize_group
from cloudpolicy.actions.registry import all_actions
from cloudpolicy.models.approval import PlanApproval
from cloudpolicy.models.group_size import GroupSize
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import Phase, RunState, ScalingRun, StepEntry
from cloudpolicy.selectors.runs import list_runs, run_view, runs_to_resume
from cloudpolicy.services import run_pace, run_steps
from cloudpolicy.services.aws import CloudUnavailable, client
from cloudpolicy.services.engine_at_work import EngineAtWork
from cloudpolicy.services.kill_switch import turn_kill_switch
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.refusals import NotAllowed
from cloudpolicy.services.running import work_on
from cloudpolicy.views.run_words import may_be_undone
from tests.cloudpolicy.groups_of_five import (
    AFTER,
    BEFORE,
    REGION,
    FakeClock,
    Killed,
    approve,
    asks_for_spot,
    begin,
    begin_rollback,
    die_and_resume,
    finish,
    killed_at_line,
    make_five_groups,
    planned_company,
    set_size,
    sizes,
)
from tests.cloudpolicy.steered_company import NOW, steer
from tests.cloudpolicy.strict_proxy import UPDATE, StrictProxy, Trouble

pytestmark = pytest.mark.django_db
CREATE = "CreateLaunchTemplateVersion"


@pytest.fixture
def cloud(strict_aws: StrictProxy) -> StrictProxy:
    make_five_groups()
    strict_aws.forget()
    return strict_aws


def approved(**options: object) -> ScalingPlan:
    _, plan = planned_company(**options)  # type: ignore[arg-type]
    approve(plan)
    return plan


def test_planning_and_approving_make_no_changing_call(cloud: StrictProxy) -> None:
    approved()
    assert not cloud.mutating


def test_a_plan_is_carried_out_step_by_step_and_noted(cloud: StrictProxy) -> None:
    plan = approved()
    run = finish(begin(plan), FakeClock())
    assert (run.state, run.outcome) == (RunState.DONE, "")
    assert sizes() == AFTER
    assert (asks_for_spot("dev"), asks_for_spot("dev2"), asks_for_spot("staging")) == (False, False, 100)
    view = run_view(company_id=plan.company_id, run_id=run.pk)
    assert view is not None
    assert (view.said, view.done) == ("applied", len(plan.calls))
    assert all(step.phase == Phase.THERE and step.asked == 1 and step.request_ids for step in view.steps)
    assert [entry.phase for entry in StepEntry.objects.filter(run=run, step=0).order_by("line")] == [
        Phase.INTENT, Phase.MADE, Phase.THERE,
    ]  # fmt: skip
    assert ScalingPlan.objects.get(pk=plan.pk).applied_at is not None
    assert sum(cloud.mutating.values()) == len(plan.calls)


def test_what_grows_comes_before_what_shrinks(cloud: StrictProxy) -> None:
    plan = approved()
    finish(begin(plan), FakeClock())
    run = ScalingRun.objects.get()
    resizes = [call["group"] for call in run.calls or () if call["action"] == "resize_group"]
    assert resizes[0] == "capstack-dev2-asg"


def test_a_plan_that_is_applied_is_not_applied_again(cloud: StrictProxy) -> None:
    plan = approved()
    run = finish(begin(plan), FakeClock())
    cloud.forget()
    assert begin(plan).pk == run.pk
    assert work_on(run_id=run.pk, clock=FakeClock().as_clock()).state == RunState.DONE
    assert not cloud.actions


def test_a_roll_back_brings_everything_back_in_reverse_order(cloud: StrictProxy) -> None:
    plan = approved()
    run = finish(begin(plan), FakeClock())
    back = finish(begin_rollback(plan), FakeClock())
    assert (back.state, back.outcome) == (RunState.DONE, "")
    assert sizes() == BEFORE
    assert (asks_for_spot("dev"), asks_for_spot("dev2"), asks_for_spot("staging")) == (True, True, 25)
    applied, undone = run.calls or [], back.calls or []
    assert [call["group"] for call in undone] == [
        call["group"]
        for call in reversed(applied)
        # A version that no group follows any more is left.
        if not (call["group"] == "capstack-dev2-asg" and "copy" in call["parameters"])
    ]
    assert not GroupSize.objects.filter(restored_at__isnull=True).exists()
    with pytest.raises(NotAllowed, match="rolled back already"):
        begin_rollback(plan)


def without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the engine be of a version that has no such action."""
    monkeypatch.setattr(run_steps, "all_actions", lambda: [each for each in all_actions() if each.name != name])


def test_a_run_whose_action_is_gone_ends_with_that_reason_and_is_not_tried_for_ever(
    cloud: StrictProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, clock = approved(), FakeClock()
    run = begin(plan)
    with killed_at_line(9), pytest.raises(Killed):
        work_on(run_id=run.pk, clock=clock.as_clock())
    assert sizes() != BEFORE
    without(monkeypatch, "spot_mode")
    run = work_on(run_id=run.pk, clock=clock.as_clock())
    assert run.state == RunState.PARTLY
    assert "cannot be resumed" in run.outcome
    assert "no action 'spot_mode'" in run.outcome
    assert runs_to_resume(now=NOW + timedelta(days=9)) == ()
    assert may_be_undone(list_runs(company_id=plan.company_id, plan_id=plan.pk))
    monkeypatch.undo()
    assert finish(begin_rollback(plan), clock).state == RunState.DONE
    assert sizes() == BEFORE


def test_a_roll_back_undoes_what_it_can_says_what_it_cannot_and_can_be_begun_again(
    cloud: StrictProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = approved()
    assert finish(begin(plan), FakeClock()).state == RunState.DONE
    with monkeypatch.context() as older:
        without(older, "spot_mode")
        back = finish(begin_rollback(plan), FakeClock())
    assert (sizes(), asks_for_spot("staging")) == (BEFORE, 100)
    assert back.state == RunState.PARTLY
    assert "all else is taken back" in back.outcome
    assert "no action 'spot_mode'" in back.outcome
    again = finish(begin_rollback(plan), FakeClock())
    assert (again.state, asks_for_spot("staging"), sizes()) == (RunState.DONE, 25, BEFORE)


def test_sizes_are_kept_once_and_cleared_so_that_the_next_cycle_keeps_its_own(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    finish(begin(plan), FakeClock())
    kept = {size.group.split("-")[1]: (size.min, size.max, size.desired) for size in GroupSize.objects.all()}
    assert kept == BEFORE
    steer(company, days=300)
    growing = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=NOW).plan_id)
    approve(growing)
    assert finish(begin(growing), FakeClock()).state == RunState.DONE
    assert sizes() == BEFORE
    assert not GroupSize.objects.filter(restored_at__isnull=True).exists()
    set_size("staging2", 2, 7, 5)
    steer(company, days=50)
    again = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=NOW).plan_id)
    approve(again)
    finish(begin(again), FakeClock())
    (size,) = GroupSize.objects.filter(group="capstack-staging2-asg", restored_at__isnull=True)
    assert (size.min, size.max, size.desired) == (2, 7, 5)


def test_rolling_back_a_restore_needs_the_sizes_again(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    finish(begin(plan), FakeClock())
    steer(company, days=300)
    growing = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=NOW).plan_id)
    approve(growing)
    finish(begin(growing), FakeClock())
    finish(begin_rollback(growing), FakeClock())
    assert sizes() == AFTER
    assert GroupSize.objects.filter(restored_at__isnull=True).count() == 5
    # Later runs have touched the groups: what the first plan did is no longer what is there.
    assert finish(begin_rollback(plan), FakeClock()).state == RunState.STOPPED


def test_a_group_that_came_back_by_hand_is_forgotten_too(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    finish(begin(plan), FakeClock())
    for name, size in BEFORE.items():
        set_size(name, *size)
    steer(company, days=300)
    plan_scaling(company_id=company.id, now=NOW)
    assert not GroupSize.objects.filter(restored_at__isnull=True, group="capstack-staging2-asg").exists()


# --- Somebody else ----------------------------------------------------------------------------------------


def test_a_group_that_a_person_changed_since_voids_the_whole_plan(cloud: StrictProxy) -> None:
    plan = approved()
    run = begin(plan)
    set_size("staging2", 2, 5, 4)
    cloud.forget()
    run = finish(run, FakeClock())
    assert run.state == RunState.STOPPED
    assert (
        "capstack-staging2-asg was changed by somebody else since: it has min 2, max 5, desired 4" in run.outcome
    )
    assert not cloud.mutating


def test_a_group_that_lost_its_tag_is_not_touched(cloud: StrictProxy) -> None:
    run = begin(approved())
    client("autoscaling", region=REGION).delete_tags(
        Tags=[
            {
                "ResourceId": "capstack-staging2-asg",
                "ResourceType": "auto-scaling-group",
                "Key": "capstack:managed",
            }
        ]
    )
    cloud.forget()
    run = finish(run, FakeClock())
    assert run.state == RunState.STOPPED
    assert "no longer carries the tag" in run.outcome
    assert not cloud.mutating


def test_a_group_that_a_person_changes_meanwhile_stops_the_run(cloud: StrictProxy) -> None:
    plan = approved()
    run = begin(plan)

    def interfere(asked: dict[str, str]) -> None:
        if asked.get("AutoScalingGroupName") == "capstack-dev-asg":
            cloud.before = None
            set_size("staging2", 2, 5, 4)

    cloud.before = interfere
    run = finish(run, FakeClock())
    assert run.state == RunState.PARTLY
    assert "capstack-staging2-asg was changed by somebody else" in run.outcome
    assert sizes()["staging2"] == (2, 5, 4)
    assert sizes()["dev"] == AFTER["dev"]
    (view,) = list_runs(company_id=plan.company_id)
    assert view.said == "partly applied"


def test_what_somebody_changed_is_told_in_the_words_of_the_pages(cloud: StrictProxy) -> None:
    run = begin(approved())
    (group,) = client("autoscaling", region=REGION).describe_auto_scaling_groups(
        AutoScalingGroupNames=["capstack-staging-asg"]
    )["AutoScalingGroups"]
    template = group["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]
    client("autoscaling", region=REGION).update_auto_scaling_group(
        AutoScalingGroupName="capstack-staging-asg",
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": template["LaunchTemplateId"], "Version": "1"}
            },
            "InstancesDistribution": {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 40},
        },
    )
    run = finish(run, FakeClock())
    assert run.outcome.endswith("it has spot on, on demand, % 40")


def test_a_roll_back_stops_at_what_somebody_changed_since_and_says_so(cloud: StrictProxy) -> None:
    plan = approved()
    finish(begin(plan), FakeClock())
    set_size("production", 2, 8, 5)
    run = finish(begin_rollback(plan), FakeClock())
    assert run.state == RunState.STOPPED
    assert "capstack-production-asg was changed by somebody else since" in run.outcome
    assert sizes()["production"] == (2, 8, 5)


# --- The kill switch, and what a plan was made from --------------------------------------------------------


def test_the_kill_switch_is_looked_at_before_each_call(cloud: StrictProxy) -> None:
    plan = approved()
    run = begin(plan)

    look = EngineAtWork.permit
    permitted = 0

    def permit(self: EngineAtWork) -> None:
        nonlocal permitted
        permitted += 1
        if permitted == 4:  # once when it begins, then before each call
            turn_kill_switch(company_id=plan.company_id, on=True, actor="ada", reason="an outage", now=NOW)
        look(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EngineAtWork, "permit", permit)
        run = finish(run, FakeClock())
    assert run.state == RunState.PARTLY
    assert run.outcome == "the kill switch is on: an outage (ada)"
    assert sum(cloud.mutating.values()) == 2
    with pytest.raises(NotAllowed, match="the kill switch is on"):
        begin(plan)
    with pytest.raises(NotAllowed, match="the kill switch is on"):
        begin_rollback(plan)
    turn_kill_switch(company_id=plan.company_id, on=False, actor="ada", reason="it is over", now=NOW)
    assert finish(begin_rollback(plan), FakeClock()).state == RunState.DONE
    assert sizes() == BEFORE


def test_a_forecast_that_moves_while_a_run_waits_ends_it(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    run = begin(plan)
    cloud.troubles = [Trouble(UPDATE, 400, "Throttling", skip=1)]
    clock = FakeClock()
    assert work_on(run_id=run.pk, clock=clock.as_clock()).state == RunState.OPEN
    steer(company, days=70)
    plan_scaling(company_id=company.id, now=NOW)
    run = finish(run, clock)
    assert run.state == RunState.PARTLY
    assert "the forecast has moved since" in run.outcome


# --- Throttling and failures -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "Throttling"),
        (503, "RequestLimitExceeded"),
        (500, "ResourceContention"),
        (400, "ScalingActivityInProgress"),
    ],
)
def test_throttling_puts_the_rest_off_and_what_is_done_stays_done(
    cloud: StrictProxy, status: int, code: str
) -> None:
    plan = approved()
    run = begin(plan)
    cloud.troubles = [Trouble(UPDATE, status, code, skip=2), Trouble(UPDATE, status, code)]
    clock = FakeClock()
    run = work_on(run_id=run.pk, clock=clock.as_clock())
    assert run.state == RunState.OPEN
    assert code in run.outcome
    (view,) = list_runs(company_id=plan.company_id)
    assert view.said == "partly applied, goes on later"
    assert run.resume_at is not None
    assert run.resume_at > clock.moment
    assert runs_to_resume(now=clock.moment) == ()
    assert runs_to_resume(now=run.resume_at) == (run.pk,)
    run = finish(run, clock)
    assert run.state == RunState.DONE
    assert sizes() == AFTER
    refused = StepEntry.objects.filter(run=run, phase=Phase.PUT_OFF)
    assert [entry.content["code"] for entry in refused] == [code, code]
    assert all(entry.content["request_id"] for entry in refused)
    assert run.attempts == 0


@pytest.mark.parametrize(
    ("action", "status", "code"),
    [
        (CREATE, 503, "RequestLimitExceeded"),
        ("DescribeLaunchTemplateVersions", 503, "RequestLimitExceeded"),
        ("DescribeAutoScalingGroups", 400, "Throttling"),
        ("DescribeAutoScalingGroups", 500, "ResourceContention"),
    ],
)
def test_throttling_of_whatever_a_run_asks_puts_it_off_and_it_goes_on_from_there(
    cloud: StrictProxy, action: str, status: int, code: str
) -> None:
    plan = approved()
    run = begin(plan)

    def throttle(_: dict[str, str]) -> None:
        """From the first change on, for longer than a question is repeated by itself."""
        cloud.before = None
        cloud.troubles = [Trouble(action, status, code) for _ in range(4)]

    cloud.before = throttle
    clock = FakeClock()
    run = work_on(run_id=run.pk, clock=clock.as_clock())
    assert (run.state, code in run.outcome) == (RunState.OPEN, True), run.outcome
    (view,) = list_runs(company_id=plan.company_id)
    assert view.said == "partly applied, goes on later"
    run = finish(run, clock)
    assert (run.state, sizes()) == (RunState.DONE, AFTER)
    refused = 4 if action == CREATE else 0
    assert sum(cloud.mutating.values()) == len(plan.calls) + refused, "what was done was not asked again"


def test_a_run_that_is_throttled_for_ever_gives_up_and_says_so(cloud: StrictProxy) -> None:
    run = begin(approved())
    cloud.troubles = [Trouble(UPDATE, 400, "Throttling") for _ in range(run_pace.MAX_ATTEMPTS + 1)]
    clock = FakeClock()
    run = finish(run, clock)
    assert run.state in (RunState.PARTLY, RunState.STOPPED)
    assert "given up after 12 attempts" in run.outcome


@pytest.mark.parametrize("action", [UPDATE, CREATE])
@pytest.mark.parametrize("does_it", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("status", [0, 500], ids=["no answer", "500"])
def test_a_call_without_an_answer_is_settled_by_looking(
    cloud: StrictProxy, action: str, does_it: bool, status: int
) -> None:
    run = begin(approved())
    cloud.troubles = [Trouble(action, status, "InternalFailure", does_it=does_it)]
    clock = FakeClock()
    run = finish(run, clock)
    assert run.state == RunState.DONE, run.outcome
    assert sizes() == AFTER
    found = set(StepEntry.objects.filter(run=run).values_list("phase", flat=True))
    assert (Phase.FOUND_MADE in found) is does_it
    assert (Phase.NOT_MADE in found) is not does_it
    assert max(cloud.sets.values()) <= 2  # size and spot of one group
    templates = client("ec2", region=REGION).describe_launch_templates()["LaunchTemplates"]
    assert sum(template["LatestVersionNumber"] for template in templates) == len(BEFORE) + 2


def test_a_page_in_place_of_an_answer_is_doubt_and_no_crash(cloud: StrictProxy) -> None:
    page = "<!doctype html>\n<title>502 Bad Gateway</title>"
    run = begin(approved())
    cloud.troubles = [Trouble(UPDATE, 502, page, does_it=True)]
    assert finish(run, FakeClock()).state == RunState.DONE
    assert StepEntry.objects.filter(run=run, phase=Phase.FOUND_MADE).count() == 1
    cloud.troubles = [Trouble("DescribeAutoScalingGroups", 502, page) for _ in range(5)]
    with pytest.raises(CloudUnavailable, match="AWS answered with something that cannot be read"):
        plan_scaling(company_id=run.company_id, now=NOW)


def test_a_refusal_ends_the_run_with_the_words_of_aws(cloud: StrictProxy) -> None:
    run = begin(approved())
    cloud.troubles = [Trouble(UPDATE, 403, "AccessDenied", skip=2)]
    run = finish(run, FakeClock())
    assert run.state == RunState.PARTLY
    assert "AWS refused UpdateAutoScalingGroup: AccessDenied" in run.outcome


@pytest.mark.parametrize("arrives_after", [timedelta(minutes=70), None])
def test_a_group_that_does_not_arrive_soon_is_looked_at_later_and_given_up_in_the_end(
    cloud: StrictProxy, monkeypatch: pytest.MonkeyPatch, arrives_after: timedelta | None
) -> None:
    plan = approved()
    run = begin(plan)
    clock = FakeClock()
    begun = clock.now()

    def late(*args: object) -> object:
        observed = resize_group.observe(*args)  # type: ignore[arg-type]
        if arrives_after is not None and clock.now() - begun >= arrives_after:
            return observed
        return observed and replace(observed, arrived=False, progress="0 of 1 in service")

    stuck = tuple(replace(each, observe=late) if each.name == "resize_group" else each for each in all_actions())
    monkeypatch.setattr(run_steps, "all_actions", lambda: stuck)
    monkeypatch.setattr(run_steps, "LOOK_EVERY", timedelta(minutes=1))  # Fewer looks at what stays as it is.
    first = work_on(run_id=run.pk, clock=clock.as_clock())
    assert (first.state, first.attempts) == (RunState.OPEN, 0)
    assert first.outcome == "capstack-dev2-asg: 0 of 1 in service"
    while "looked at again later" not in first.outcome:
        assert first.resume_at is not None
        clock.moment = max(clock.moment, first.resume_at)
        first = work_on(run_id=run.pk, clock=clock.as_clock())
    assert (first.state, first.attempts) == (RunState.OPEN, 0)
    assert "capstack-dev2-asg is not there after 16 minutes: 0 of 1 in service" in first.outcome
    assert first.resume_at == clock.now() + run_pace.LOOK_LATER
    run = finish(run, clock)
    if arrives_after is not None:
        assert (run.state, run.outcome) == (RunState.DONE, "")
        assert sizes() == AFTER
        return
    assert run.state == RunState.PARTLY
    assert "capstack-dev2-asg is not there after 12" in run.outcome
    assert cloud.sets["capstack-production-asg"] == 0


# --- Killed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_line_of_its_journal_a_run_is_resumed_and_sets_each_group_once(
    cloud: StrictProxy, after: bool
) -> None:
    """The engine dies at each line of the journal in turn, and fresh ones go on from what was committed."""
    plan = approved()
    clock = FakeClock()
    run, deaths = die_and_resume(begin(plan), clock, after=after)
    assert (run.state, run.outcome) == (RunState.DONE, "")
    assert deaths >= 3 * len(plan.calls)
    assert sizes() == AFTER
    assert sum(cloud.mutating.values()) == len(plan.calls)
    cloud.forget()
    back, deaths = die_and_resume(begin_rollback(plan), clock, after=after)
    assert (back.state, back.outcome) == (RunState.DONE, "")
    assert deaths >= 3 * len(back.calls or ())
    assert sizes() == BEFORE
    assert sum(cloud.mutating.values()) == len(back.calls or ())


@pytest.mark.parametrize("line", [2, 4, 11, 20])
def test_killed_anywhere_a_run_can_be_rolled_back_at_once(cloud: StrictProxy, line: int) -> None:
    plan = approved()
    clock = FakeClock()
    run = begin(plan)
    with pytest.raises(Killed), killed_at_line(line):
        work_on(run_id=run.pk, clock=clock.as_clock())
    back = finish(begin_rollback(plan), clock)
    assert (back.state, back.outcome) == (RunState.DONE, "")
    assert sizes() == BEFORE
    assert (asks_for_spot("dev"), asks_for_spot("dev2"), asks_for_spot("staging")) == (True, True, 25)
    assert ScalingRun.objects.get(pk=run.pk).state == RunState.PARTLY


@pytest.mark.parametrize("table", [PlanApproval, StepEntry])
def test_what_was_approved_and_done_cannot_be_changed(cloud: StrictProxy, table: type) -> None:
    plan = approved()
    finish(begin(plan), FakeClock())
    name = table._meta.db_table  # type: ignore[attr-defined]
    for statement in (f"UPDATE {name} SET company_id = company_id", f"DELETE FROM {name}"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
