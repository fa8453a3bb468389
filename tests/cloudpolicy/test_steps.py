"""A policy that goes by small steps: each applied plan leads to the next, down and back up to the size before."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.models.group_size import GroupSize
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState
from cloudpolicy.selectors.unplanned import unplanned_companies
from cloudpolicy.services.planning import plan_scaling, replan_scaling
from cloudpolicy.services.policies import enable_policy
from ledger.domain.company import CompanyRef
from tests.cloudpolicy.groups_of_five import FakeClock, approve, begin, finish, make_five_groups, sizes
from tests.cloudpolicy.steered_company import steer, steered_company
from tests.cloudpolicy.strict_proxy import StrictProxy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]


def go(company: CompanyRef, clock: FakeClock) -> Iterator[None]:
    """Apply the plan in force, and each that the sweep finds to follow from it, with a person who agrees."""
    plan = plan_scaling(company_id=company.id, now=clock.now())
    while plan.calls:
        stored = ScalingPlan.objects.get(pk=plan.plan_id)
        approve(stored, now=clock.now())
        assert finish(begin(stored, now=clock.now()), clock).state == RunState.DONE
        yield
        clock.moment += timedelta(minutes=2)
        assert company.id in unplanned_companies(now=clock.now())
        following = replan_scaling(company_id=company.id, now=clock.now())
        assert following is not None
        plan = following


def test_steps_lead_down_and_back_up_and_the_kept_size_is_cleared_at_the_last(strict_aws: StrictProxy) -> None:
    make_five_groups()
    company = steered_company(days=50)
    document = {**FOUNDING_LADDER, "limits": {**FOUNDING_LADDER["limits"], "step_percent": 33}}
    clock = FakeClock()
    enable_policy(company_id=company.id, document=document, actor="test", because="slowly", now=clock.now())
    wished = [(sizes()["production"][2], sizes()["dev"][2]) for _ in go(company, clock)]
    assert wished == [(6, 2), (5, 1), (4, 1)]
    assert sizes()["dev"] == (1, 2, 1)
    steer(company, days=300)
    wished, kept = [], []
    for _ in go(company, clock):
        wished.append((sizes()["production"][2], sizes()["dev"][2]))
        kept.append(GroupSize.objects.filter(group="capstack-dev-asg", restored_at__isnull=True).exists())
    assert wished[-1] == (8, 3)
    assert [dev for _, dev in wished[:2]] == [2, 3]
    # Held until the last step of the group, and then no more.
    assert kept[:2] == [True, False]
    assert sizes()["dev"] == (1, 4, 3)
