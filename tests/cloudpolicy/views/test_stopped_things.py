"""What a plan has stopped stands on the page of the cloud until it runs again."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from cloudpolicy.models.group_instance import GroupInstance
from cloudpolicy.models.run import RunState
from ledger.domain.company import CompanyRef
from ledger.models.company import Role
from tests.cloudpolicy.groups_of_five import FakeClock, approve, begin, begin_rollback, finish
from tests.cloudpolicy.steered_company import NOW
from tests.cloudpolicy.strict_proxy import StrictProxy
from tests.cloudpolicy.things_of_dev import make_things, planned
from tests.cloudpolicy.views.conftest import words

Reader = Callable[[CompanyRef, Role], Client]
URL = "/cloud"
PRICES = "/cloud/prices"


def priceable(page: Any) -> set[str]:
    """What the form of a price offers."""
    return set(re.findall(r'<option value="((?:type|group) [^"]+)"', page.content.decode()))


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


@pytest.mark.django_db
def test_what_plans_stop_may_be_given_a_price(strict_aws: StrictProxy, reader: Reader) -> None:
    things = make_things()
    company, plan = planned()
    admin = reader(company, Role.ADMIN)
    page = admin.get(URL)
    of_instance = GroupInstance.objects.get(group=things.instance).instance_type
    types = {"type us-east-1 t3.small", "type us-east-1 db.t3.micro", f"type us-east-1 {of_instance}"}
    assert priceable(page) == types
    assert "an on-demand hour of db.t3.micro in us-east-1 costs" in words(page)
    given = {"what": "type us-east-1 db.t3.micro", "market": "on_demand", "per_hour": "0.02", "why": "price list"}
    priced = words(admin.post(PRICES, given, follow=True))
    assert "db.t3.micro in us-east-1, on demand 0.02 USD" in priced
    assert "an on-demand hour of db.t3.micro in us-east-1 costs" not in priced, "the plan is priced by it at once"

    approve(plan)
    assert finish(begin(plan), FakeClock()).state == RunState.DONE
    assert priceable(admin.get(URL)) == types, "what stands still is started one day, and priced then"
    seen = {"region": "us-east-1", "group": things.database, "instance": "its replacement", "first_seen": NOW}
    GroupInstance.objects.create(company_id=company.id, **seen)
    assert "group us-east-1 dev-db" in priceable(admin.get(URL)), "without a type it is named"
