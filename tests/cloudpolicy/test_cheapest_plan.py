"""The cheapest steps to a wanted p5 as a plan: approved by a person, applied, taken back."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState
from cloudpolicy.selectors.plans import latest_plan
from cloudpolicy.services.approving import consent_to
from cloudpolicy.services.cheapest_plan import plan_cheapest
from cloudpolicy.services.cheapest_steps import UnreachableTarget
from cloudpolicy.services.p5_by_saving import p5_by_saving
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.policies import enable_policy
from cloudpolicy.services.refusals import NotAllowed
from cloudpolicy.services.standing_plans import void_because
from ledger.domain.company import CompanyRef
from ledger.services.tokens import create_token
from tests.cloudpolicy.billed_cloud import Hours, days, import_bill, pay_aws
from tests.cloudpolicy.groups_of_five import (
    BEFORE,
    FakeClock,
    approve,
    begin,
    begin_rollback,
    finish,
    make_five_groups,
    sizes,
)
from tests.cloudpolicy.steered_company import NOW, steer, steered_company
from tests.cloudpolicy.strict_proxy import StrictProxy

pytestmark = pytest.mark.django_db
URL = "/api/v1/policy/cheapest"


@pytest.fixture
def company(strict_aws: StrictProxy) -> CompanyRef:
    """Give a company of about 66 days with five groups of t3.small at 1.00 an hour, 0.40 on spot."""
    make_five_groups()
    company = steered_company(days=76)
    pay_aws(company)
    march = days(date(2026, 3, 2), 30)
    lines = [Hours(day, "BoxUsage:t3.small", 240, "240") for day in march]
    import_bill(company, [*lines, *(Hours(day, "SpotUsage:t3.small", 240, "96") for day in march)])
    strict_aws.forget()
    return company


def put_in_force(company: CompanyRef, **changed: Any) -> None:
    document = {**FOUNDING_LADDER, **changed}
    enable_policy(company_id=company.id, document=document, actor="test", because="the test wants it", now=NOW)


def wanted_of(company: CompanyRef, saving: int) -> int:
    """The p5 that so much money a month leads to."""
    return p5_by_saving(company=company, now=NOW).at(Decimal(saving)).days


def kept(company: CompanyRef, wanted: int) -> ScalingPlan:
    plan = plan_cheapest(company_id=company.id, wanted_p5_days=wanted, now=NOW)
    return ScalingPlan.objects.get(pk=plan.plan_id)


def test_it_is_approved_by_a_person_applied_and_taken_back(company: CompanyRef, strict_aws: StrictProxy) -> None:
    put_in_force(company, approval={**FOUNDING_LADDER["approval"], "non_production": "automatic"})
    wanted = wanted_of(company, 1500)
    made = plan_cheapest(company_id=company.id, wanted_p5_days=wanted, now=NOW)
    again = plan_cheapest(company_id=company.id, wanted_p5_days=wanted, now=NOW)
    assert (again.plan_id, again.digest) == (made.plan_id, made.digest)
    assert made.worth is not None
    assert made.worth.p5_days is not None
    assert made.worth.p5_days >= wanted == made.wanted_p5_days
    assert not strict_aws.sets
    plan = ScalingPlan.objects.get(pk=made.plan_id)
    assert {call["environment"] for call in plan.calls} <= {"dev", "staging"}, "production last"
    assert consent_to(plan=plan, now=NOW).needed == 1, "the policy agrees to nothing that it did not ask for"
    with pytest.raises(NotAllowed, match="not approved"):
        begin(plan)
    approve(plan)
    clock = FakeClock()
    assert finish(begin(plan), clock).state == RunState.DONE
    assert sizes() != BEFORE
    assert set(strict_aws.sets.values()) == {1}
    # The ladder asks for more of some of them, and does not bring them back against a person's wish.
    steer(company, days=300)
    later = plan_scaling(company_id=company.id, now=clock.now())
    assert not {call["group"] for call in later.calls} & {call["group"] for call in plan.calls}
    assert "excluded" in {warning.code for warning in later.warnings}
    assert finish(begin_rollback(plan, now=clock.now()), clock).state == RunState.DONE
    assert sizes() == BEFORE


def test_it_takes_no_place_of_the_policys_plan(company: CompanyRef) -> None:
    policys = plan_scaling(company_id=company.id, now=NOW)
    made = plan_cheapest(company_id=company.id, wanted_p5_days=wanted_of(company, 1500), now=NOW)
    assert latest_plan(company_id=company.id) == policys
    assert plan_scaling(company_id=company.id, now=NOW).plan_id == policys.plan_id
    assert made.digest != policys.digest


def test_it_stays_within_floors_rows_steps_and_groups_per_plan(company: CompanyRef) -> None:
    everything = kept(company, 364)
    assert {call["group"].split("-")[1]: call["after"]["desired"] for call in everything.calls} == {
        # The least that the rows in force say.
        "dev": 1, "production": 2, "staging": 1, "staging2": 1,
    }  # fmt: skip
    assert "out_of_reach" in {warning["code"] for warning in everything.warnings}
    limits = {**FOUNDING_LADDER["limits"], "step_percent": 25, "groups_per_plan": 1}
    put_in_force(company, limits=limits)
    assert "the policy has changed since" in void_because(plan=everything, now=NOW)
    (call,) = kept(company, 364).calls
    assert (call["group"], call["before"]["desired"], call["after"]["desired"]) == (
        "capstack-production-asg",
        8,
        6,
    )


def test_it_is_read_only_in_quiet_hours_and_void_when_the_forecast_moves(company: CompanyRef) -> None:
    plan = kept(company, wanted_of(company, 1500))
    assert void_because(plan=plan, now=NOW) == ""
    steer(company, days=60)
    plan_scaling(company_id=company.id, now=NOW)
    assert "the forecast has moved since" in void_because(plan=plan, now=NOW)
    put_in_force(company, quiet={"hours": [], "skip_days": [str(NOW.date())]})
    quiet = kept(company, 364)
    assert [reason["code"] for reason in quiet.read_only_because] == ["skip_day"]
    with pytest.raises(NotAllowed, match="read-only"):
        approve(quiet)


def test_a_wish_that_is_fulfilled_or_impossible_says_so(company: CompanyRef) -> None:
    plan = kept(company, 1)
    assert plan.calls == []
    assert "reached" in {warning["code"] for warning in plan.warnings}
    for wanted in (0, 365):
        with pytest.raises(UnreachableTarget):
            plan_cheapest(company_id=company.id, wanted_p5_days=wanted, now=NOW)


def test_it_is_planned_over_http(company: CompanyRef, client: Client) -> None:
    made = create_token(company_id=company.id, name="test", scopes=("policy",), now=timezone.now())
    token = {"Authorization": f"Bearer {made}"}

    def post(content: object) -> Any:
        return client.post(URL, json.dumps(content), content_type="application/json", headers=token)

    answer = post({"p5": 200})
    assert (answer.status_code, answer.json()["wanted_p5_days"]) == (201, 200), answer.content
    for wrong in ({"p5": 0}, {"p5": 365}, {"p5": "soon"}, {}, {"p5": 90, "group": "x"}):
        refused = post(wrong)
        assert refused.status_code == 422, refused.content
    assert client.post(URL, "{", content_type="application/json", headers=token).status_code in {400, 422}


def test_it_is_planned_on_the_command_line(company: CompanyRef) -> None:
    out = StringIO()
    call_command("plan_cheapest", company="acme", p5=200, stdout=out)
    assert "Asked for: the cheapest steps to a p5 of 200 days" in out.getvalue()
    for slug, wanted in (("acme", 0), ("nobody", 200)):
        with pytest.raises(CommandError):
            call_command("plan_cheapest", company=slug, p5=wanted)
