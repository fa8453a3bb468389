"""A run that ended early: the groups are looked at, the rest is planned, and what was changed can be undone."""

from datetime import datetime, timedelta

import pytest

from cloudpolicy.models.cursor import PlanningCursor
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, RunState, ScalingRun
from cloudpolicy.selectors.runs import list_runs
from cloudpolicy.services.early_ends import FIRST_REST, LONGEST_REST, rests_until
from cloudpolicy.services.engine_lock import engine_lock
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.refusals import NotAllowed
from cloudpolicy.services.running import work_on
from cloudpolicy.services.runs import start_apply
from cloudpolicy.services.step_journal import LEASE
from cloudpolicy.services.waiting_runs import runs_to_look_after
from cloudpolicy.views.run_words import may_be_undone
from ledger.domain.company import CompanyRef
from tests.cloudpolicy.groups_of_five import (
    AFTER,
    BEFORE,
    FakeClock,
    Killed,
    approve,
    begin,
    begin_rollback,
    finish,
    killed_at_line,
    make_five_groups,
    planned_company,
    sizes,
)
from tests.cloudpolicy.steered_company import NOW
from tests.cloudpolicy.strict_proxy import UPDATE, StrictProxy, Trouble

pytestmark = pytest.mark.django_db


@pytest.fixture
def cloud(strict_aws: StrictProxy) -> StrictProxy:
    make_five_groups()
    strict_aws.forget()
    return strict_aws


def refused_half_way(cloud: StrictProxy, clock: FakeClock) -> tuple[CompanyRef, ScalingPlan]:
    """A plan of which some calls are done, a template's new version among them, and one was refused."""
    company, plan = planned_company()
    approve(plan)
    cloud.troubles = [Trouble(UPDATE, 400, "AccessDenied", skip=3)]
    assert finish(begin(plan), clock).state == RunState.PARTLY
    return company, plan


def test_what_is_left_is_planned_anew_and_both_parts_can_be_taken_back(cloud: StrictProxy) -> None:
    clock = FakeClock()
    company, plan = refused_half_way(cloud, clock)
    assert PlanningCursor.objects.get().look_again_at == clock.now(), "the groups are looked at at once"
    # Applied as it was, our own new version of a template would be taken for somebody else's.
    with pytest.raises(NotAllowed, match="partly applied, and the groups were not read again since"):
        begin(plan, now=clock.now())
    rest = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=clock.now()).plan_id)
    assert 0 < len(rest.calls) < len(plan.calls)
    approve(rest, now=clock.now())
    assert finish(begin(rest, now=clock.now()), clock).state == RunState.DONE
    assert sizes() == AFTER
    for each in (rest, plan):
        assert finish(begin_rollback(each, now=clock.now()), clock).state == RunState.DONE
    assert sizes() == BEFORE


def test_an_attempt_that_was_stopped_hides_no_run_that_changed_something(cloud: StrictProxy) -> None:
    clock = FakeClock()
    company, plan = refused_half_way(cloud, clock)
    ScalingRun.objects.create(
        company_id=company.id, plan=plan, kind=RunKind.APPLY, state=RunState.STOPPED, calls=plan.calls,
        actor="ada", reason="again", started_at=clock.now(), ended_at=clock.now(), outcome="found otherwise",
    )  # fmt: skip
    assert may_be_undone(list_runs(company_id=company.id))
    assert finish(begin_rollback(plan, now=clock.now()), clock).state == RunState.DONE
    assert sizes() == BEFORE
    assert not may_be_undone(list_runs(company_id=company.id))
    with pytest.raises(NotAllowed, match="rolled back already"):
        begin_rollback(plan, now=clock.now())


def test_a_policy_that_approves_by_itself_rests_and_a_person_does_not(cloud: StrictProxy) -> None:
    automatic = {"production": [], "non_production": "automatic", "two_people_above_instances": None}
    company, plan = planned_company(approval=automatic)
    clock = FakeClock()

    def start(made: ScalingPlan, now: datetime, *, by_itself: bool) -> ScalingRun:
        run = start_apply(
            company_id=company.id, plan_id=made.pk, actor="x", reason="x", now=now, only_if_automatic=by_itself
        )
        assert run is not None
        return run

    cloud.troubles = [Trouble(UPDATE, 400, "AccessDenied")]
    ended = finish(start(plan, NOW, by_itself=True), clock).ended_at
    assert ended is not None
    clock.moment += timedelta(seconds=1)
    rest = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=clock.now()).plan_id)
    with pytest.raises(NotAllowed, match="not applied by itself yet: the last run ended early"):
        start(rest, clock.now(), by_itself=True)
    assert PlanningCursor.objects.get().look_again_at == ended + FIRST_REST, "time alone ends the rest"
    cloud.troubles = [Trouble(UPDATE, 400, "AccessDenied")]
    again = finish(start(rest, clock.now(), by_itself=False), clock).ended_at
    assert again is not None
    assert rests_until(company_id=company.id, now=again) == again + 2 * FIRST_REST
    clock.moment = again + 2 * FIRST_REST
    last = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=clock.now()).plan_id)
    assert finish(start(last, clock.now(), by_itself=True), clock).state == RunState.DONE
    assert sizes() == AFTER
    assert rests_until(company_id=company.id, now=clock.now()) is None


def test_rests_grow_to_a_quarter_of_a_day_and_no_further(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    for _ in range(12):
        ScalingRun.objects.create(
            company_id=company.id, plan=plan, kind=RunKind.APPLY, state=RunState.STOPPED, calls=[],
            actor="x", reason="x", started_at=NOW, ended_at=NOW,
        )  # fmt: skip
    assert rests_until(company_id=company.id, now=NOW) == NOW + LONGEST_REST
    assert rests_until(company_id=company.id, now=NOW + LONGEST_REST) is None


def test_a_run_whose_engine_died_is_looked_after_long_before_its_lease_ends(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    run, clock = begin(plan), FakeClock()
    with killed_at_line(3), pytest.raises(Killed):
        work_on(run_id=run.pk, clock=clock.as_clock())
    run.refresh_from_db()
    assert run.resume_at == clock.now() + LEASE
    with engine_lock(company_id=company.id, accounts={""}):
        assert runs_to_look_after(now=clock.now()) == ()
    assert runs_to_look_after(now=clock.now()) == (run.pk,)
    # Put off, it waits for its time; at work again, it says no more what had put it off.
    cloud.troubles = [Trouble(UPDATE, 400, "Throttling")]
    run = work_on(run_id=run.pk, clock=clock.as_clock())
    assert ("Throttling" in run.outcome, runs_to_look_after(now=clock.now())) == (True, ())
    assert run.resume_at is not None
    clock.moment = run.resume_at
    with killed_at_line(2), pytest.raises(Killed):
        work_on(run_id=run.pk, clock=clock.as_clock())
    (view,) = list_runs(company_id=company.id)
    assert (view.said, view.because) == ("applying", "")
    assert finish(run, clock).state == RunState.DONE
