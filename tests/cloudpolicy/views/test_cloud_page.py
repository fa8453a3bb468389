"""The page of the cloud over HTTP, without a script: what it says in each state, to whom, and what it refuses."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from cloudpolicy import jobs
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.models.approval import PlanApproval
from cloudpolicy.models.exclusion import Exclusion
from cloudpolicy.models.kill_switch import KillSwitchTurn
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.policy import PolicyVersion
from cloudpolicy.models.run import RunKind, RunState, ScalingRun
from cloudpolicy.services import running
from cloudpolicy.services.engine_lock import engine_lock
from cloudpolicy.services.kill_switch import turn_kill_switch
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.policies import enable_policy
from cloudpolicy.services.run_pace import DOUBT
from cloudpolicy.views.call_words import call_rows
from ledger.domain.company import CompanyRef
from ledger.models.company import Role
from ledger.selectors.companies import company_ref
from ledger.services.companies import create_company
from tests.cloudpolicy.groups_of_five import (
    AFTER,
    BEFORE,
    FakeClock,
    Killed,
    approve,
    begin,
    begin_rollback,
    finish,
    killed_at_line,
    make_five_groups,
    planned_company,
    set_size,
    sizes,
)
from tests.cloudpolicy.steered_company import NOW, steer, steered_company
from tests.cloudpolicy.strict_proxy import UPDATE, StrictProxy, Trouble
from tests.cloudpolicy.views.conftest import Hour, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hour")]
Reader = Callable[[CompanyRef, Role], Client]
URL = "/cloud"


@pytest.fixture
def cloud(strict_aws: StrictProxy) -> StrictProxy:
    make_five_groups()
    strict_aws.forget()
    return strict_aws


def agree(client: Client, plan: ScalingPlan, **changes: str) -> object:
    given = {"digest": plan.digest, "reason": "read it", "from": "cloud", **changes}
    return client.post(f"/cloud/plans/{plan.pk}/approve", given)


def act(client: Client, plan: ScalingPlan, verb: str, reason: str = "less runway") -> object:
    return client.post(f"/cloud/plans/{plan.pk}/{verb}", {"reason": reason, "from": "plan"})


def test_nobody_and_a_stranger_see_nothing(client: Client, cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    run = begin_approved(plan)
    assert client.get(URL)["Location"].startswith("/sign-in")
    other = steered_company(days=300, slug="other")
    stranger = reader(other, Role.ADMIN)
    for path in (
        f"/cloud/plans/{plan.pk}",
        f"/cloud/runs/{run.pk}",
        f"/cloud/plans/{2**63}",
        f"/cloud/runs/{2**70}",
    ):
        assert stranger.get(path).status_code == 404, path
    for verb in ("approve", "apply", "rollback"):
        assert act(stranger, plan, verb).status_code == 404
    assert "capstack-dev-asg" not in words(stranger.get(URL))
    assert stranger.get(f"{URL}?company={company.slug}").status_code == 404


def test_who_was_signed_out_comes_back_to_the_plan_and_hears_that_nothing_was_done(
    client: Client, cloud: StrictProxy, reader: Reader
) -> None:
    company, plan = planned_company()
    approve(plan)
    door = act(client, plan, "apply")["Location"]
    assert door == f"/sign-in?next=/cloud/plans/{plan.pk}/apply"
    back = reader(company, Role.ADMIN).get(f"/cloud/plans/{plan.pk}/apply", follow=True)
    assert back.redirect_chain == [(f"/cloud/plans/{plan.pk}", 302)]
    assert "Nothing was done yet." in words(back)
    assert not ScalingRun.objects.exists()
    turned = reader(company, Role.ADMIN).get("/cloud/kill-switch", {"turn": "on", "reason": "a link"}, follow=True)
    assert turned.redirect_chain == [(URL, 302)]
    assert not KillSwitchTurn.objects.exists()


def begin_approved(plan: ScalingPlan) -> ScalingRun:
    approve(plan)
    return begin(plan)


def test_a_plan_is_shown_call_by_call_with_band_groups_and_cause(cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    page = reader(company, Role.ADMIN).get(URL)
    text = words(page)
    assert f"{len(plan.calls)} changes proposed" in text
    assert "Resize capstack-production-asg from 8 to 4 instances" in text
    assert "capstack-production-asg production, us-east-1 min 3 → becomes 2" in text
    assert "Turn spot off for capstack-staging-asg: 100 % on demand" in text
    assert "autoscaling:UpdateAutoScalingGroup" in text
    assert plan.digest in text
    days = plan.p5_days
    assert (
        f"staging below 60 {days} days is below 60; it is left above 120 min 1, max 4, desired 2, spot off" in text
    )
    assert f"production below 90 {days} days is below 90; it is left above 120" in text
    assert re.search(
        r"capstack-production-asg production us-east-1 3 8 12 2 t3.small on, 50 % on demand above 1 no", text
    )
    assert "forecast" in text
    assert "journal position 240" in text
    assert re.search(r'<a href="/ledger/events/[0-9a-f]{64}">journal position 240</a>', page.content.decode())
    assert re.search(r'href="/accuracy\?basis=free&amp;on=2026-04-01">forecast', page.content.decode())
    assert b"bands-figure" in page.content
    assert f"it is {days} days today" in text


@pytest.mark.parametrize("role", [Role.FOUNDER, Role.FINANCE])
def test_who_is_no_admin_reads_and_changes_nothing(cloud: StrictProxy, reader: Reader, role: Role) -> None:
    company, plan = planned_company()
    client = reader(company, role)
    text = words(client.get(URL))
    assert "An admin of Acme approves and applies it." in text
    assert "An admin of Acme turns it on and off." in text
    assert b"Approve exactly this plan" not in client.get(f"/cloud/plans/{plan.pk}").content
    for verb in ("approve", "apply", "rollback"):
        assert act(client, plan, verb).status_code == 403
    assert client.post("/cloud/kill-switch", {"turn": "on", "reason": "no"}).status_code == 403
    assert client.post("/cloud/look").status_code == 302, "looking changes nothing"
    assert not PlanApproval.objects.exists()
    assert not KillSwitchTurn.objects.exists()
    assert not cloud.mutating


def test_a_plan_is_approved_applied_watched_and_rolled_back(
    cloud: StrictProxy, reader: Reader, empty_redis: object, hour: Hour
) -> None:
    company, plan = planned_company()
    client = reader(company, Role.ADMIN)
    refused = act(client, plan, "apply")
    assert (refused.status_code, "it is not approved" in words(refused)) == (409, True)
    assert agree(client, plan).status_code == 302
    text = words(client.get(URL))
    assert f"Plan {plan.pk} is approved. Nothing is changed before it is applied." in text
    assert "Approvals: 1 of 1" in text
    assert re.search(r"(?<!page:)admin\d@example\.com: read it", text), "who agreed, without the door"
    assert "Apply it" in text
    assert "Approve exactly this plan" not in text, "one agrees once"
    assert not cloud.mutating
    assert act(client, plan, "apply")["Location"] == f"/cloud/plans/{plan.pk}"
    run = ScalingRun.objects.get()
    text = words(client.get(URL))
    assert f"Plan {plan.pk}: applying" in text
    assert f"0 of {len(plan.calls)} steps done" in text
    assert "waits for its turn" in text

    run = finish(run, FakeClock())
    assert sizes() == AFTER
    hour.pass_on(minutes=5)
    shown = words(client.get(f"/cloud/runs/{run.pk}"))
    assert f"Plan {plan.pk}: applied" in shown
    assert f"{len(plan.calls)} of {len(plan.calls)} steps done" in shown
    assert "done, and seen in the cloud" in shown
    assert "not asked" not in shown

    text = words(client.get(f"/cloud/plans/{plan.pk}"))
    assert "This plan is carried out" in text
    assert f"Roll plan {plan.pk} back" in text
    assert act(client, plan, "rollback", "money came").status_code == 302
    back = finish(ScalingRun.objects.get(kind=RunKind.ROLLBACK), FakeClock(hour.now))
    assert (back.state, sizes()) == (RunState.DONE, BEFORE)
    text = words(client.get(f"/cloud/plans/{plan.pk}"))
    assert f"Roll-back of plan {plan.pk}: rolled back" in text
    assert f"Roll plan {plan.pk} back" not in text
    assert "counts no more" in text, "what was taken back is not agreed to any more"
    again = act(client, plan, "rollback")
    assert (again.status_code, "it is rolled back already" in words(again)) == (409, True)


def test_a_run_that_is_done_is_followed_by_a_decision_at_once(
    cloud: StrictProxy, reader: Reader, empty_redis: object, monkeypatch: pytest.MonkeyPatch, hour: Hour
) -> None:
    company, plan = planned_company()
    run = begin_approved(plan)
    clock = FakeClock().as_clock()
    monkeypatch.setattr(running, "Clock", lambda: clock)
    while jobs.work_on_run(run_id=run.pk) == RunState.OPEN:
        pass
    hour.pass_on(minutes=1)
    assert jobs.replan(company_id=company.id) == "planned"
    newest = ScalingPlan.objects.latest("id")
    assert (newest.pk != plan.pk, newest.calls) == (True, [])
    text = words(reader(company, Role.FOUNDER).get(URL))
    assert "Nothing to change Every group is as the policy wants it." in text
    assert "capstack-production-asg production us-east-1 2 4 8 2" in text, "groups as they are now"
    assert f"Plan {newest.pk} : nothing to do" in text


def test_a_digest_that_is_not_the_plans_is_refused(cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    client = reader(company, Role.ADMIN)
    for wrong in ("0" * 64, ""):
        refused = agree(client, plan, digest=wrong)
        assert (refused.status_code, "digest" in words(refused)) == (409, True)
    assert not PlanApproval.objects.exists()


def test_a_plan_that_another_has_replaced_is_refused_with_what_changed(
    cloud: StrictProxy, reader: Reader, hour: Hour
) -> None:
    company, read = planned_company()
    client = reader(company, Role.ADMIN)
    agree(client, read)
    assert "counts until" in words(client.get(f"/cloud/plans/{read.pk}"))
    steer(company, days=300)
    hour.pass_on(minutes=1)
    newer = plan_scaling(company_id=company.id, now=hour.now)
    for refused in (agree(client, read), act(client, read, "apply")):
        text = words(refused)
        assert refused.status_code == 409
        assert f"Plan {read.pk} is the newest no more: plan {newer.plan_id} has taken its place." in text
        assert f"The cautious runway was {read.p5_days} days and is {newer.p5_days} days." in text
        assert "The band was below 60 and is above the ladder." in text
        assert "No longer asked for: resize capstack-dev-asg from 3 to 1 instance." in text
        assert "Nothing to change" in text, "what stands now is there to be read"
    assert PlanApproval.objects.count() == 1, "what was agreed to before"
    text = words(client.get(f"/cloud/plans/{read.pk}"))
    assert "Another plan has taken its place" in text
    assert "counts no more" in text
    assert "counts until" not in text


def test_an_approval_needs_a_reason_and_says_so_beside_the_plan(cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    refused = agree(reader(company, Role.ADMIN), plan, reason="  ")
    assert (refused.status_code, "A reason of at most 500 characters is needed." in words(refused)) == (422, True)


def test_above_the_limit_two_people_have_to_agree(cloud: StrictProxy, reader: Reader) -> None:
    approval = {**FOUNDING_LADDER["approval"], "two_people_above_instances": 2}
    company, plan = planned_company(approval=approval)
    first, second = reader(company, Role.ADMIN), reader(company, Role.ADMIN)
    agree(first, plan)
    text = words(first.get(URL))
    assert "Approvals: 1 of 2: a second person has to approve it" in text
    assert "Apply it" not in text
    assert b"Approve exactly this plan" in second.get(URL).content
    agree(second, plan)
    assert b"Apply it" in first.get(URL).content


def test_it_says_partly_applied_and_when_it_goes_on(cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    run = begin_approved(plan)
    cloud.troubles = [Trouble(UPDATE, 400, "Throttling", skip=1)]
    running.work_on(run_id=run.pk, clock=FakeClock().as_clock())
    text = words(reader(company, Role.FOUNDER).get(URL))
    assert f"Plan {plan.pk}: partly applied, goes on later" in text
    assert "Throttling" in text
    assert "It goes on 1 Apr 2026, 12:0" in text
    assert "put off, to be asked again" in text


def test_a_plan_that_met_a_changed_group_waits_for_a_look(cloud: StrictProxy, reader: Reader, hour: Hour) -> None:
    company, plan = planned_company()
    run = begin_approved(plan)
    hour.pass_on(minutes=5)
    set_size("production", 3, 12, 7)
    assert finish(run, FakeClock(hour.now)).state == RunState.STOPPED
    admin = reader(company, Role.ADMIN)
    text = words(admin.get(URL))
    assert "The plan no longer stands; look again for a fresh one." in text
    assert "Nothing can be done by it: capstack-production-asg was changed by somebody else since" in text
    assert "Apply it" not in text
    refused = act(admin, plan, "apply")
    assert refused.status_code == 409
    assert f"Plan {plan.pk} cannot be applied: capstack-production-asg was changed by" in words(refused)

    set_size("production", *BEFORE["production"])
    hour.pass_on(minutes=1)
    again = words(admin.post("/cloud/look", follow=True))
    assert "Nothing has changed." in again
    assert "Approved, and ready to be applied below." in again, "it is as it was planned over"


def test_a_queue_that_does_not_answer_is_told_and_the_run_is_kept(
    cloud: StrictProxy, reader: Reader, settings: Settings
) -> None:
    company, plan = planned_company()
    approve(plan)
    settings.REDIS_QUEUE_URL = "redis://127.0.0.1:9/0"
    admin = reader(company, Role.ADMIN)
    text = words(admin.post(f"/cloud/plans/{plan.pk}/apply", {"reason": "less runway"}, follow=True))
    assert f"Plan {plan.pk} is being applied. No worker could be told: it begins by itself once" in text
    run = ScalingRun.objects.get()
    assert run.state == RunState.OPEN
    finish(run, FakeClock())
    back = words(admin.post(f"/cloud/plans/{plan.pk}/rollback", {"reason": "money came"}, follow=True))
    assert f"Plan {plan.pk} is being rolled back. No worker could be told" in back


def test_an_expired_plan_says_so_and_does_nothing(cloud: StrictProxy, reader: Reader, hour: Hour) -> None:
    company, plan = planned_company()
    approve(plan)
    admin = reader(company, Role.ADMIN)
    first = words(admin.get(URL))
    assert "While the cautious runway is short, the policy asks for a smaller cloud" in first
    hour.pass_on(hours=25)
    for path in (URL, f"/cloud/plans/{plan.pk}"):
        text = words(admin.get(path))
        assert "it has expired: no forecast has led to it for more than 24 hours." in text
        assert "Apply it" not in text
    assert "The plan no longer stands; look again for a fresh one." in words(admin.get(URL))
    refused = act(admin, plan, "apply")
    assert (refused.status_code, "it has expired" in words(refused)) == (409, True)
    assert not ScalingRun.objects.exists()


def test_it_says_that_no_worker_comes(cloud: StrictProxy, reader: Reader, hour: Hour) -> None:
    company, plan = planned_company()
    run = begin_approved(plan)
    client, places = reader(company, Role.FOUNDER), (URL, f"/cloud/plans/{plan.pk}", f"/cloud/runs/{run.pk}")
    hour.now = run.started_at + timedelta(seconds=20)
    for place in places:
        assert "no worker has come for it" not in words(client.get(place))
    hour.pass_on(seconds=20)
    for place in places:
        text = words(client.get(place))
        assert "It should have gone on 1 Apr 2026" in text
        assert "no worker has come for it. Nothing is asked of your cloud before one does" in text
        assert "You may leave this page; it goes on" not in text
    assert "steps done. It waits for a worker." in words(client.get(URL))
    with engine_lock(company_id=company.id, accounts={""}):
        assert "no worker has come" not in words(client.get(URL)), "one is at work, however slow the cloud is"
    with engine_lock(company_id=company.id, accounts={"another"}):
        assert "no worker has come" in words(client.get(URL)), "that one is at work elsewhere"


def test_it_says_that_a_step_is_being_asked_for_and_later_that_it_is_in_doubt(
    cloud: StrictProxy, reader: Reader, hour: Hour
) -> None:
    company, plan = planned_company()
    run = begin_approved(plan)
    with killed_at_line(2), pytest.raises(Killed):
        running.work_on(run_id=run.pk, clock=FakeClock().as_clock())
    client = reader(company, Role.FOUNDER)
    text = words(client.get(URL))
    assert ("being asked at this moment" in text, "no answer yet" in text) == (True, True)
    hour.now = FakeClock().now() + DOUBT
    assert "in doubt until it is looked at" in words(client.get(URL))


def test_the_kill_switch_stops_everything_and_only_with_a_reason(cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    client = reader(company, Role.ADMIN)
    without = client.post("/cloud/kill-switch", {"turn": "on", "reason": ""})
    assert (without.status_code, "A reason of at most" in words(without)) == (422, True)
    odd = client.post("/cloud/kill-switch", {"turn": "stop", "reason": "an incident"})
    assert (odd.status_code, b'value="an incident"' in odd.content) == (422, True), "nothing typed is lost"
    assert "The kill switch is not turned. Nothing was changed by what you asked for. Turn: must be" in words(odd)
    assert not KillSwitchTurn.objects.exists()
    client.post("/cloud/kill-switch", {"turn": "on", "reason": "an incident"})
    text = words(client.get(URL))
    assert "Kill switch on Nothing changes your cloud until it is turned off." in text
    assert "pause" not in text.lower(), "one thing has one name"
    assert "an incident" in text
    refused = agree(client, plan)
    assert (refused.status_code, "the kill switch is on: an incident" in words(refused)) == (409, True)
    client.post("/cloud/kill-switch", {"turn": "off", "reason": "it is over"})
    assert "Turned off: it is over" in words(client.get(URL))
    assert agree(client, plan).status_code == 302


def test_the_switch_of_the_installation_is_not_turned_off_from_the_page(
    cloud: StrictProxy, reader: Reader, settings: Settings
) -> None:
    company, _ = planned_company()
    settings.CLOUD_KILL_SWITCH = True
    page = reader(company, Role.ADMIN).get(URL)
    assert "whoever runs it turns it off there" in words(page)
    assert b"Turn the kill switch off" not in page.content


def test_read_only_says_why_and_where_it_is_mended(cloud: StrictProxy, reader: Reader, hour: Hour) -> None:
    company, plan = planned_company()
    hour.pass_on(days=3)
    page = reader(company, Role.ADMIN).get(URL)
    text = words(page)
    assert "Read-only for now" in text
    assert "The forecast is 72 hours old, more than 26. A new one comes by itself;" in text
    assert '<a href="/">Look at the forecast</a>' in page.content.decode()
    assert "Approve exactly this plan" not in text
    assert "Nothing can be done by it" in text
    assert agree(reader(company, Role.ADMIN), plan).status_code == 409


def test_without_a_forecast_it_says_what_to_do(strict_aws: StrictProxy, reader: Reader) -> None:
    create_company(slug="new", name="New", currency="USD", timezone="UTC", now=NOW)
    text = words(reader(company_ref(slug="new"), Role.FOUNDER).get(URL))
    assert "Nothing is planned yet The first plan follows the first forecast." in text
    assert "No forecast is published" in text
    assert "import your history" in text
    assert "Look again now" in text
    assert "policy_permissions" in text


def test_without_groups_it_says_which_tag_opts_in(strict_aws: StrictProxy, reader: Reader) -> None:
    company, _ = planned_company()
    text = words(reader(company, Role.FOUNDER).get(URL))
    assert "No group to act on None in your cloud carries the tag of the policy." in text
    assert "No auto-scaling group carries the tag capstack:managed=true." in text
    assert "Give a group the tag capstack:managed=true in AWS" in text


def test_a_cloud_that_cannot_be_read_is_told_with_what_to_do(settings: Settings, reader: Reader) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    company = steered_company(days=50)
    client = reader(company, Role.FOUNDER)
    answer = client.post("/cloud/look", follow=True)
    text = words(answer)
    assert "The cloud cannot be read: AWS cannot be reached" in text
    assert "CLOUD_ACCOUNTS. It is tried again each minute by itself" in text


def test_a_broken_policy_is_told_and_nothing_breaks(cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    PolicyVersion.objects.create(
        company_id=company.id,
        version=2,
        name="odd",
        document={"rows": 1},
        digest="0" * 64,
        actor="x",
        created_at=NOW,
    )
    client = reader(company, Role.ADMIN)
    assert "The policy cannot be read" in words(client.get(URL))
    assert client.get(f"/cloud/plans/{plan.pk}").status_code == 200
    assert agree(client, plan).status_code == 409
    assert client.post("/cloud/look", follow=True).status_code == 200


def test_an_excluded_group_is_told_until_when(cloud: StrictProxy, reader: Reader) -> None:
    company, _ = planned_company()
    rule = {"group": "capstack-staging-asg", "exclude_until": "2026-05-01", "because": "load test", "floor": 3}
    enable_policy(
        company_id=company.id, document={**FOUNDING_LADDER, "groups": [rule]}, actor="t", because="t", now=NOW
    )
    assert re.search(
        r"capstack-staging-asg staging us-east-1 2 4 6 3 t3.small on, 25 % on demand above 1 until 1.May"
        r" left alone until 2026-05-01: load test",
        words(reader(company, Role.FOUNDER).get(URL)),
    )


def test_what_was_rolled_back_is_told_as_left_alone_until_an_admin_lifts_it(
    cloud: StrictProxy, reader: Reader, hour: Hour
) -> None:
    company, plan = planned_company()
    finish(begin_approved(plan), FakeClock())
    opened = begin_rollback(plan)
    admin, founder = reader(company, Role.ADMIN), reader(company, Role.FOUNDER)
    assert "It has not begun yet. Begun 1 Apr 2026" in words(admin.get(f"/cloud/runs/{opened.pk}"))
    finish(opened, FakeClock())
    hour.pass_on(minutes=5)
    assert plan_scaling(company_id=company.id, now=hour.now).calls == ()
    text = words(founder.get(URL))
    assert "Nothing to change now What the policy waits for or leaves alone is told below." in text
    assert "Every group is as the policy wants it" not in text
    assert "capstack-production-asg, us-east-1 until 8 Apr 2026, 12:00 UTC" in text
    assert "the policy asks for a smaller cloud" not in text, "who has applied a plan knows what the page is for"
    assert f"Plan {plan.pk} , test: plan {plan.pk} was rolled back: money came" in text
    assert f"until 8 Apr plan {plan.pk} was rolled back" in text, "beside the group, too"
    assert "nothing to do 1 Apr 2026, 12:05 UTC founding ladder v1, cautious runway" in text
    assert "is left alone until 2026-04-08" in text, "as the cause of the decision in the history"
    assert "See what is left alone" not in text, "and not once more in a list of reasons"
    assert "An admin of Acme lets the policy decide about it earlier." in text

    number = Exclusion.objects.get(name="capstack-production-asg").pk
    lift = f"/cloud/exclusions/{number}/lift"
    assert founder.post(lift, {"reason": "x"}).status_code == 403
    assert admin.post(lift, {"reason": " "}).status_code == 422
    assert admin.post(f"/cloud/exclusions/{number + 99}/lift", {"reason": "x"}).status_code == 409
    lifted = words(admin.post(lift, {"reason": "load is over"}, follow=True))
    assert "The policy decides about it again. Nothing is changed before a plan is approved." in lifted
    assert "1 change proposed" in lifted, "it is planned over at once"
    assert lifted.index("Proposed plan") < lifted.index("rolled back Run"), "what is to be decided comes first"
    assert "capstack-production-asg, us-east-1 until 8 Apr" not in lifted


def test_a_poll_is_answered_only_when_something_has_changed(
    cloud: StrictProxy, reader: Reader, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    company, plan = planned_company()
    client = reader(company, Role.ADMIN)
    for path in (URL, f"/cloud/plans/{plan.pk}"):
        live = re.search(r'hx-get="([^"]+)"', client.get(path).content.decode())
        assert live is not None
        address = live[1].replace("&amp;", "&")
        # Session, user, memberships and one look.
        with django_assert_num_queries(4):
            assert client.get(address, headers={"HX-Request": "true"}).status_code == 204
        turn_kill_switch(company_id=company.id, on=True, actor="t", reason=f"at {path}", now=NOW)
        fresh = client.get(address, headers={"HX-Request": "true"})
        assert fresh.status_code == 200
        assert b"<html" not in fresh.content
        assert f"at {path}" in words(fresh)
        turn_kill_switch(company_id=company.id, on=False, actor="t", reason="over", now=NOW)


def test_history_is_paged_and_costs_the_same_however_long(
    cloud: StrictProxy, reader: Reader, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    company, plan = planned_company()
    rows = [
        replace_row(plan, digest=f"{number:064d}", decision=f"{number:064d}", calls=[]) for number in range(16)
    ]
    ScalingPlan.objects.bulk_create(rows)
    client = reader(company, Role.FOUNDER)
    with django_assert_max_num_queries(60):
        first = client.get(URL)
    older = re.search(r'href="(/cloud\?before=\d+)"', first.content.decode())
    assert older is not None
    second = words(client.get(older[1]))
    assert f"Plan {plan.pk} : {len(plan.calls)} calls on 5 groups" in second
    assert "Newest first" in second
    odd = client.get(f"{URL}?before=x")
    assert (odd.status_code, "Before: must be the number of a plan" in words(odd)) == (400, True)
    assert b'id="history"' in odd.content, "the page itself, not a page that says only what is wrong"
    assert b'hx-get="/cloud?seen=' in odd.content, "the page would renew itself at an address that is refused"


def replace_row(plan: ScalingPlan, **changes: object) -> ScalingPlan:
    values = {field.attname: getattr(plan, field.attname) for field in plan._meta.fields if field.name != "id"}
    return ScalingPlan(**{**values, **changes})


def test_a_call_of_any_action_is_told_by_its_own_words() -> None:
    (row,) = call_rows(
        [
            {
                "action": "suspend_processes",
                "says": "suspend Launch of web",
                "group": "web",
                "environment": "dev",
                "account": "prod",
                "region": "eu-west-1",
                "before": {"suspended": ["Launch"], "limit": 1200, "alert": None, "same": 1},
                "after": {"suspended": [], "limit": 900, "alert": {"at": True}, "same": 1},
                "permission": "autoscaling:SuspendProcesses",
                "because": "dev below 45",
            }
        ]
    )
    assert (row.does, row.place) == ("Suspend Launch of web", "prod, eu-west-1")
    assert [str(change) for change in row.changes] == [
        "alert none → at on",
        "limit 1,200 → 900",
        "suspended Launch → none",
    ]
