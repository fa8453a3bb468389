"""An approved plan that something speaks against is not applied, whatever that is."""

from typing import Any

import pytest

from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import ScalingRun
from cloudpolicy.services.refusals import NotAllowed
from tests.cloudpolicy.groups_of_five import approve, begin, make_five_groups, planned_company
from tests.cloudpolicy.strict_proxy import StrictProxy

pytestmark = pytest.mark.django_db


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
