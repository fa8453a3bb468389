"""A run that comes back and may not go on: what it did before counts, and what it did not is found out."""

from datetime import timedelta

import pytest

from cloudpolicy.models.exclusion import Exclusion
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import Phase, RunKind, RunState, StepEntry
from cloudpolicy.selectors.runs import list_runs
from cloudpolicy.services import running
from cloudpolicy.services.kill_switch import turn_kill_switch
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.running import work_on
from cloudpolicy.views.run_words import run_card
from tests.cloudpolicy.groups_of_five import (
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
from tests.cloudpolicy.steered_company import NOW, steer
from tests.cloudpolicy.strict_proxy import UPDATE, StrictProxy, Trouble

pytestmark = pytest.mark.django_db


@pytest.fixture
def cloud(strict_aws: StrictProxy) -> StrictProxy:
    make_five_groups()
    return strict_aws


@pytest.mark.parametrize("end", ["kill switch", "given up"])
def test_sizes_that_somebody_chose_stay_chosen_when_the_rest_is_never_made(
    cloud: StrictProxy, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    company, plan = planned_company()
    approve(plan)
    run = begin(plan)
    ScalingPlan.objects.filter(pk=plan.pk).update(wanted_p5_days=90)
    # Groups that grow and one that shrinks are done with, and the next is put off.
    cloud.troubles = [Trouble(UPDATE, 400, "Throttling", skip=3)]
    clock = FakeClock()
    if end == "given up":
        monkeypatch.setattr(running, "MAX_ATTEMPTS", 0)
    else:
        assert work_on(run_id=run.pk, clock=clock.as_clock()).state == RunState.OPEN
        turn_kill_switch(company_id=company.id, on=True, actor="ada", reason="an outage", now=NOW)
        clock.moment += timedelta(minutes=5)
    run = finish(run, clock)
    assert run.state == RunState.PARTLY
    smaller = {f"capstack-{name}-asg" for name, size in sizes().items() if size[2] < BEFORE[name][2]}
    larger = {f"capstack-{name}-asg" for name, size in sizes().items() if size[2] > BEFORE[name][2]}
    assert (len(smaller), len(larger)) == (1, 1)
    chosen = Exclusion.objects.filter(only_growth=True, lifted_at__isnull=True)
    assert {each.name for each in chosen} == smaller, "and nothing is said of what became larger"


def test_a_lost_answer_is_found_out_about_even_when_the_plan_no_longer_stands(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    run = begin(plan)
    clock = FakeClock()
    with pytest.raises(Killed), killed_at_line(2):  # The call was made, and nobody noted its answer.
        work_on(run_id=run.pk, clock=clock.as_clock())
    steer(company, days=70)
    plan_scaling(company_id=company.id, now=NOW)
    run = finish(run, clock)
    assert "the forecast has moved since" in run.outcome
    assert run.state == RunState.PARTLY
    assert list(StepEntry.objects.order_by("line").values_list("phase", flat=True)) == [
        Phase.INTENT,
        Phase.FOUND_MADE,
    ]


@pytest.mark.parametrize("was_made", [True, False], ids=["made", "never arrived"])
@pytest.mark.parametrize("kind", RunKind)
def test_with_the_kill_switch_on_a_lost_answer_is_found_out_about_and_nothing_is_asked(
    cloud: StrictProxy, kind: RunKind, was_made: bool
) -> None:
    company, plan = planned_company()
    approve(plan)
    clock = FakeClock()
    run = begin(plan)
    if kind == RunKind.ROLLBACK:
        finish(run, clock)
        run = begin_rollback(plan)
    # The intent is noted, and then either the call was made and nobody noted its answer, or it was not made.
    with pytest.raises(Killed), killed_at_line(2) if was_made else killed_at_line(1, written_first=True):
        work_on(run_id=run.pk, clock=clock.as_clock())
    turn_kill_switch(company_id=company.id, on=True, actor="ada", reason="an outage", now=NOW)
    cloud.forget()
    run = finish(run, clock)
    assert run.outcome == "the kill switch is on: an outage (ada)"
    phases = StepEntry.objects.filter(run=run).order_by("line").values_list("phase", flat=True)
    assert list(phases) == [Phase.INTENT, Phase.FOUND_MADE if was_made else Phase.NOT_MADE]
    assert run.state == (RunState.PARTLY if was_made else RunState.STOPPED)
    assert not cloud.mutating
    (view,) = list_runs(company_id=company.id, limit=1)
    said = run_card(view, company_id=company.id, now=clock.now()).steps[0].said
    assert said.startswith("found to be made" if was_made else "found not to be made")


def test_with_the_kill_switch_on_a_roll_back_finds_out_what_the_run_before_it_left_in_doubt(
    cloud: StrictProxy,
) -> None:
    company, plan = planned_company()
    approve(plan)
    clock = FakeClock()
    applied = begin(plan)
    with pytest.raises(Killed), killed_at_line(2):
        work_on(run_id=applied.pk, clock=clock.as_clock())
    back = begin_rollback(plan)
    turn_kill_switch(company_id=company.id, on=True, actor="ada", reason="an outage", now=NOW)
    cloud.forget()
    assert finish(back, clock).state == RunState.STOPPED
    assert not cloud.mutating
    phases = StepEntry.objects.filter(run=applied).order_by("line").values_list("phase", flat=True)
    assert list(phases) == [Phase.INTENT, Phase.FOUND_MADE]
