"""What a plan has stopped stands on the page of the cloud until it runs again."""

from collections.abc import Callable

import pytest
from django.test import Client

from cloudpolicy.models.run import RunState
from ledger.domain.company import CompanyRef
from ledger.models.company import Role
from tests.cloudpolicy.groups_of_five import FakeClock, approve, begin, begin_rollback, finish
from tests.cloudpolicy.strict_proxy import StrictProxy
from tests.cloudpolicy.things_of_dev import make_things, planned
from tests.cloudpolicy.views.conftest import words

Reader = Callable[[CompanyRef, Role], Client]
URL = "/cloud"


@pytest.mark.django_db
def test_instances_databases_and_requests_are_listed_while_a_plan_holds_them(
    strict_aws: StrictProxy, reader: Reader
) -> None:
    things = make_things()
    company, plan = planned()
    client = reader(company, Role.FOUNDER)
    before = words(client.get(URL))
    assert "state running → becomes stopped" in before
    assert "request open → becomes cancelled" in before
    assert "USD a month none → becomes 500" in before
    assert "AZRebalance and AlarmNotification suspended" in before
    assert "databases, instances and requests for spot stopped" in before, "what the row in force asks for"
    assert "Stopped by a plan" not in before

    approve(plan)
    clock = FakeClock()
    assert finish(begin(plan), clock).state == RunState.DONE
    held = words(client.get(URL))
    assert f"Instance {things.instance} dev us-east-1 1 Apr 2026" in held
    assert f"Database {things.database} dev us-east-1" in held
    assert f"Request for spot {things.request} dev us-east-1" in held
    assert "Proposed plan" not in held, "its calls stand once, as the steps of its run"

    assert finish(begin_rollback(plan, now=clock.now()), clock).state == RunState.DONE
    assert "Stopped by a plan" not in words(client.get(URL))
