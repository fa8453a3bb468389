"""A run that comes back and may not go on: what it did before counts, and what it did not is found out."""

from datetime import timedelta

import pytest

from cloudpolicy.models.exclusion import Exclusion
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import Phase, RunState, StepEntry
from cloudpolicy.services import running
from cloudpolicy.services.kill_switch import turn_kill_switch
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.running import work_on
from tests.cloudpolicy.groups_of_five import (
    BEFORE,
    FakeClock,
    Killed,
    approve,
    begin,
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
