"""A stored policy that nobody can read: an older schema, or a document that was written past the application."""

from collections.abc import Callable

import pytest
from django.test import Client

from cloudpolicy import jobs
from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.policy import PolicyVersion
from cloudpolicy.models.run import Phase, RunState, StepEntry
from cloudpolicy.selectors.unplanned import unplanned_companies
from cloudpolicy.services.aws import client
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.policies import enable_policy
from cloudpolicy.services.trusted_again import trusted_again
from ledger.domain.company import CompanyRef
from ledger.models.company import Role
from tests.cloudpolicy.groups_of_five import (
    AFTER,
    BEFORE,
    REGION,
    FakeClock,
    Killed,
    approve,
    begin,
    begin_rollback,
    finish,
    killed_at_line,
    make_five_groups,
    planned_company,
    sizes,
)
from tests.cloudpolicy.steered_company import NOW
from tests.cloudpolicy.strict_proxy import StrictProxy
from tests.cloudpolicy.views.conftest import words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hour")]
OLDER = {**FOUNDING_LADDER, "schema": 0, "bands": []}
Reader = Callable[[CompanyRef, Role], Client]


@pytest.fixture
def cloud(strict_aws: StrictProxy) -> StrictProxy:
    make_five_groups()
    return strict_aws


def spoil(company: CompanyRef, document: object = OLDER) -> None:
    """Put a document in force that is no policy."""
    version = PolicyVersion.objects.filter(company_id=company.id).count() + 1
    PolicyVersion.objects.create(
        company_id=company.id,
        version=version,
        name="older",
        document=document,
        digest=f"{version:064}",
        actor="somebody",
        created_at=NOW,
    )


def test_a_step_in_doubt_is_settled_by_looking_and_nothing_more_is_asked(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    run = begin(plan)
    # Line 2 is the answer to the first call: the cloud was asked, and only the intent is known.
    with killed_at_line(2), pytest.raises(Killed):
        finish(run, FakeClock())
    spoil(company)
    cloud.forget()
    run = finish(run, FakeClock())
    assert (run.state, cloud.mutating) == (RunState.PARTLY, {})
    assert "the stored policy cannot be read: bands: is not a key of a policy; schema: must be 1" in run.outcome
    last = StepEntry.objects.filter(run=run).order_by("-line")[0]
    assert (last.step, last.phase) == (0, Phase.FOUND_MADE)


def test_a_run_that_has_asked_for_nothing_ends_before_it_asks(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    run = begin(plan)
    spoil(company)
    cloud.forget()
    assert (finish(run, FakeClock()).state, cloud.mutating) == (RunState.STOPPED, {})
    assert sizes() == BEFORE


@pytest.mark.parametrize("document", [OLDER, {"rows": 1}, []], ids=["older schema", "without a tag", "no object"])
def test_what_was_changed_is_rolled_back_from_the_page(
    cloud: StrictProxy, reader: Reader, document: object
) -> None:
    company, plan = planned_company()
    approve(plan)
    finish(begin(plan), FakeClock())
    assert sizes() == AFTER
    spoil(company, document)
    admin = reader(company, Role.ADMIN)
    for path in ("/cloud", f"/cloud/plans/{plan.pk}"):
        assert f"Roll plan {plan.pk} back" in words(admin.get(path)), path
    assert admin.post(f"/cloud/plans/{plan.pk}/rollback", {"reason": "too small"}).status_code == 302
    assert finish(begin_rollback(plan), FakeClock()).state == RunState.DONE
    assert sizes() == BEFORE


def test_a_group_that_no_longer_carries_the_tag_is_not_rolled_back(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    finish(begin(plan), FakeClock())
    spoil(company)
    tag = {
        "ResourceId": "capstack-production-asg", "ResourceType": "auto-scaling-group", "Key": "capstack:managed",
        "Value": "no", "PropagateAtLaunch": False,
    }  # fmt: skip
    client("autoscaling", region=REGION).create_or_update_tags(Tags=[tag])
    run = finish(begin_rollback(plan), FakeClock())
    assert "capstack-production-asg no longer carries the tag capstack:managed=true" in run.outcome
    assert sizes()["production"] == AFTER["production"]


def test_page_and_history_say_why_and_no_page_breaks(cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    approve(plan)
    run = begin(plan)
    with killed_at_line(2), pytest.raises(Killed):
        finish(run, FakeClock())
    spoil(company)
    finish(run, FakeClock())
    assert jobs.replan(company_id=company.id) == "unreadable"
    admin = reader(company, Role.ADMIN)
    text = words(admin.get("/cloud"))
    assert "The policy cannot be read" in text
    assert "what a plan has changed can be rolled back" in text
    decided = text.partition(" Decisions ")[2]
    kept = ScalingPlan.objects.filter(company_id=company.id).latest("pk")
    assert f"Plan {kept.pk} : nothing to do, read-only" in decided
    assert decided.count("he stored policy cannot be read: bands: is not a key of a policy") == 2, "plan and run"
    assert "without the tag" not in text
    assert "Nothing was forecast yet" not in text
    for path in (
        f"/cloud/plans/{plan.pk}",
        f"/cloud/plans/{kept.pk}",
        f"/cloud/runs/{run.pk}",
        "/cloud/policy",
        "/cloud/policy?as=yaml",
        "/cloud/policy.yaml",
        "/cloud/cheapest",
    ):
        assert admin.get(path).status_code == 200, path
    assert "What is kept here cannot be read as a policy, so nothing" in words(admin.get("/cloud/policy"))
    assert admin.get("/cloud/cheapest?days=90").status_code == 422
    assert admin.post("/cloud/look", follow=True).status_code == 200
    assert admin.post(f"/cloud/plans/{plan.pk}/apply", {"reason": "x"}).status_code == 409


@pytest.mark.parametrize("document", [[], "x", {"rows": [1, None], "quiet": {"hours": 3}, "opt_in": "x"}])
def test_no_page_breaks_whatever_is_kept(cloud: StrictProxy, reader: Reader, document: object) -> None:
    company, plan = planned_company()
    spoil(company, document)
    admin = reader(company, Role.ADMIN)
    yaml = ("/cloud/policy?as=yaml", "/cloud/policy.yaml")
    for path in ("/cloud", f"/cloud/plans/{plan.pk}", "/cloud/policy", *yaml):
        assert admin.get(path).status_code == 200, path


def test_it_is_decided_once_and_planned_again_once_the_policy_can_be_read(cloud: StrictProxy) -> None:
    company, _ = planned_company()
    spoil(company)
    for _ in range(3):
        with pytest.raises(InvalidPolicy):
            plan_scaling(company_id=company.id, now=NOW)
        assert jobs.replan(company_id=company.id) == "unreadable"
    kept = ScalingPlan.objects.filter(company_id=company.id).latest("pk")
    assert [reason["code"] for reason in kept.read_only_because] == ["policy_unreadable"]
    assert (kept.calls, kept.confirmations, kept.forecast_run_id is None) == ([], 5, False)
    assert unplanned_companies(now=NOW) == (), "it would be planned for every ten seconds"
    assert trusted_again(now=NOW.replace(second=company.id % 6 * 10)) == ()
    enable_policy(company_id=company.id, document=FOUNDING_LADDER, actor="t", because="right again", now=NOW)
    assert unplanned_companies(now=NOW) == (company.id,)
    assert jobs.replan(company_id=company.id) == "planned"
