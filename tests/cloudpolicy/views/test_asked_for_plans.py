"""From a wanted runway to a plan on the page: asked for by anybody, agreed to by an admin, carried out."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState, ScalingRun
from cloudpolicy.services.planning import plan_scaling
from ledger.domain.company import CompanyRef
from ledger.models.company import Role
from tests.cloudpolicy.billed_cloud import Hours, days, import_bill, pay_aws
from tests.cloudpolicy.groups_of_five import FakeClock, finish, make_five_groups
from tests.cloudpolicy.steered_company import NOW, steered_company
from tests.cloudpolicy.strict_proxy import StrictProxy
from tests.cloudpolicy.views.conftest import words

Reader = Callable[[CompanyRef, Role], Client]
ASK = "/cloud/cheapest/plan"

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(strict_aws: StrictProxy) -> CompanyRef:
    make_five_groups()
    company = steered_company(days=76)
    pay_aws(company)
    lines = [Hours(day, "BoxUsage:t3.small", 240, "240") for day in days(date(2026, 3, 2), 30)]
    import_bill(company, lines)
    strict_aws.forget()
    return company


def test_wanted_days_become_a_plan_that_is_approved_and_applied(
    company: CompanyRef, reader: Reader, strict_aws: StrictProxy
) -> None:
    founder, admin = reader(company, Role.FOUNDER), reader(company, Role.ADMIN)
    policys = plan_scaling(company_id=company.id, now=NOW)
    assert "Make these steps a plan" in words(founder.get("/cloud/cheapest?days=200"))
    made = founder.post(ASK, {"days": "200"}, follow=True)
    plan = ScalingPlan.objects.get(wanted_p5_days=200)
    text = words(made)
    assert f"Plan {plan.pk} is made. It changes nothing before it is approved and applied." in text
    assert "the cheapest steps to 200 days of cautious runway" in text
    assert "asked for, to reach 200 days, within founding ladder v1" in text
    assert "is the newest" not in text, "the policy's own plan takes no place of it"
    assert "An admin of Acme approves and applies it." in text
    page = words(admin.get("/cloud"))
    assert f"Plan {plan.pk} , asked for to reach 200 days, waits to be approved and applied." in page
    assert f"Proposed plan {policys.plan_id}" in page, "the policy's own plan stays what is proposed"

    given = {"digest": plan.digest, "reason": "I asked for it", "from": "plan"}
    assert admin.post(f"/cloud/plans/{plan.pk}/approve", given).status_code == 302
    assert not strict_aws.sets
    assert admin.post(f"/cloud/plans/{plan.pk}/apply", {"reason": "now", "from": "plan"}).status_code == 302
    assert finish(ScalingRun.objects.get(), FakeClock()).state == RunState.DONE
    assert len(strict_aws.sets) == len({call["group"] for call in plan.calls})
    assert "asked for to reach" not in words(admin.get("/cloud")), "it waits no more"

    founder.post(ASK, {"days": "100"})
    newer = ScalingPlan.objects.get(wanted_p5_days=100)
    refused = admin.post(f"/cloud/plans/{plan.pk}/approve", given)
    assert (refused.status_code, f"plan {newer.pk} has taken its place" in words(refused)) == (409, True)


def test_steps_that_buy_no_day_because_credits_pay_say_so(company: CompanyRef, reader: Reader) -> None:
    founder = reader(company, Role.FOUNDER)
    assert "Credits pay" not in words(founder.get("/cloud/cheapest?days=200"))
    lines = [Hours(day, "Credit", 0, "-240", kind="Credit") for day in days(date(2026, 3, 2), 30)]
    lines += [Hours(day, "BoxUsage:t3.small", 240, "240") for day in days(date(2026, 3, 2), 30)]
    import_bill(company, lines)
    told = words(founder.get("/cloud/cheapest?days=200"))
    assert "Credits pay 100 % of the bill at present, so $0 a month stay in the bank until they end." in told
    assert "until they end. That is why they add no day." in told
    assert "Credits pay" not in words(founder.get("/cloud/cheapest?days=1")), "nothing is saved by no step"


def test_the_wish_may_be_named_as_the_api_names_it(company: CompanyRef, reader: Reader) -> None:
    founder = reader(company, Role.FOUNDER)
    asked = founder.get("/cloud/cheapest?p5=200")
    assert ("200 days" in words(asked), b'value="200"' in asked.content) == (True, True)
    for wrong in ("soon", "-3", "1e9", "2.5", "%00", "99999"):
        refused = founder.get(f"/cloud/cheapest?p5={wrong}")
        assert (refused.status_code, "must be" in words(refused)) == (422, True), wrong


def test_a_wish_that_is_no_number_of_days_is_refused_beside_its_field(company: CompanyRef, reader: Reader) -> None:
    founder = reader(company, Role.FOUNDER)
    for wrong, said in (("soon", "must be a whole number of days"), ("0", "must be from 1 to"), ("", "must be a")):
        refused = founder.post(ASK, {"days": wrong})
        assert (refused.status_code, said in words(refused)) == (422, True)
    assert not ScalingPlan.objects.filter(wanted_p5_days__isnull=False).exists()
    stranger = Client()
    assert stranger.post(ASK, {"days": "200"})["Location"].startswith("/sign-in")
