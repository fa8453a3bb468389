"""A policy that is in force already is replayed against the cloud as it would be without it."""

from datetime import timedelta

import pytest

from cloudpolicy.models.run import RunState
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.replay import replay_policy
from cloudpolicy.views.replay_figure import past_words
from tests.cloudpolicy.groups_of_five import (
    BEFORE,
    FakeClock,
    approve,
    begin,
    finish,
    make_five_groups,
    planned_company,
)
from tests.cloudpolicy.strict_proxy import StrictProxy

pytestmark = pytest.mark.django_db


def test_what_a_policy_has_shrunk_counts_as_saved_by_it(strict_aws: StrictProxy) -> None:
    make_five_groups()
    company, plan = planned_company()
    approve(plan)
    clock = FakeClock()
    assert finish(begin(plan), clock).state == RunState.DONE
    now = clock.now() + timedelta(hours=10)
    policy = policy_in_force(company_id=company.id, now=now).policy
    past = replay_policy(company=company, policy=policy, price=None, now=now).past
    assert past is not None
    stretch = past.replayed.stretches[-1]
    assert stretch.left_alone == sum(desired for _, _, desired in BEFORE.values()) == 18
    assert stretch.instances == 10, "as on the day on which the plan was made"
    assert past.worth.instance_hours > 0
    assert "the policy would have run 10 instances, where 18 run without it." in past_words(past.replayed)
