"""An approved plan that something speaks against is not applied, whatever that is."""

from datetime import timedelta
from typing import Any

import pytest

from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, RunState, ScalingRun
from cloudpolicy.selectors.approvals import plan_approvals
from cloudpolicy.services.approving import note_approval_by_policy
from cloudpolicy.services.refusals import NotAllowed
from tests.cloudpolicy.groups_of_five import approve, begin, make_five_groups, planned_company
from tests.cloudpolicy.steered_company import NOW
from tests.cloudpolicy.strict_proxy import StrictProxy

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"read_only_because": [{"code": "quiet_hours", "text": "these are quiet hours"}]},
            "it is read-only: these are quiet hours",
        ),
        ({"rows_in_force": ["production below 90"]}, "the ladder has moved since"),
    ],
    ids=["it was read-only when it was made", "other rows are in force by the same p5"],
)
def test_a_plan_is_not_applied_against(strict_aws: StrictProxy, changes: dict[str, Any], why: str) -> None:
    make_five_groups()
    _, plan = planned_company()
    approve(plan)
    ScalingPlan.objects.filter(pk=plan.pk).update(**changes)
    with pytest.raises(NotAllowed, match=why):
        begin(plan)
    assert not ScalingRun.objects.exists()


def test_a_roll_back_uses_up_the_approvals_before_it_and_the_policys_own_is_no_persons(
    strict_aws: StrictProxy,
) -> None:
    make_five_groups()
    _, plan = planned_company()
    note_approval_by_policy(plan=plan, now=NOW)
    assert plan_approvals(plan=plan, now=NOW).given == 0
    approve(plan)
    assert plan_approvals(plan=plan, now=NOW).given == 1
    taken = {"company_id": plan.company_id, "plan": plan, "state": RunState.DONE, "ended_at": NOW + HOUR}
    applied = ScalingRun.objects.create(kind=RunKind.APPLY, started_at=NOW, **taken)
    ScalingRun.objects.create(kind=RunKind.ROLLBACK, undoes=applied, started_at=NOW + HOUR, **taken)
    assert plan_approvals(plan=plan, now=NOW + HOUR).given == 0
    approve(plan, now=NOW + 2 * HOUR)
    assert plan_approvals(plan=plan, now=NOW + 2 * HOUR).given == 1
