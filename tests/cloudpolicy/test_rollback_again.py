"""A roll-back that ended half-way is taken up again: what it has set back is not taken for somebody's change."""

import pytest

from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState
from tests.cloudpolicy.groups_of_five import (
    BEFORE,
    FakeClock,
    approve,
    asks_for_spot,
    begin,
    begin_rollback,
    finish,
    make_five_groups,
    planned_company,
    sizes,
)
from tests.cloudpolicy.strict_proxy import UPDATE, StrictProxy, Trouble

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("passed", [1, 5, 6])
def test_a_roll_back_that_was_refused_half_way_goes_on_where_it_ended(
    strict_aws: StrictProxy, passed: int
) -> None:
    make_five_groups()
    _, plan = planned_company()
    spot = {name: asks_for_spot(name) for name in ("dev", "dev2", "production", "staging")}
    approve(plan)
    clock = FakeClock()
    assert finish(begin(plan), clock).state == RunState.DONE
    strict_aws.forget()
    strict_aws.troubles.append(Trouble(UPDATE, status=400, code="AccessDenied", skip=passed))
    first = finish(begin_rollback(plan, now=clock.now()), clock)
    assert first.state == RunState.PARTLY
    second = finish(begin_rollback(plan, now=clock.now()), clock)
    assert (second.state, second.outcome) == (RunState.DONE, "")
    assert sizes() == BEFORE
    assert {name: asks_for_spot(name) for name in spot} == spot
    # One was refused; none of the others was asked for twice.
    assert strict_aws.actions[UPDATE] == _updates_of(plan) + 1


def _updates_of(plan: ScalingPlan) -> int:
    return sum(call["permission"] == f"autoscaling:{UPDATE}" for call in plan.calls)
