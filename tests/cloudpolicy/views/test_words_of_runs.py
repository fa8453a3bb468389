"""What the page says of runs that ended half-way, of who stopped them, and of groups that nobody can read."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from cloudpolicy.models.exclusion import Exclusion
from cloudpolicy.services import running
from cloudpolicy.services.kill_switch import turn_kill_switch
from ledger.domain.company import CompanyRef
from ledger.models.company import Company, Role
from tests.cloudpolicy.groups_of_five import (
    FakeClock,
    approve,
    begin,
    begin_rollback,
    finish,
    make_five_groups,
    planned_company,
)
from tests.cloudpolicy.strict_proxy import UPDATE, StrictProxy, Trouble
from tests.cloudpolicy.views.conftest import Hour, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hour")]
Reader = Callable[[CompanyRef, Role], Client]


@pytest.fixture
def cloud(strict_aws: StrictProxy) -> StrictProxy:
    make_five_groups()
    strict_aws.forget()
    return strict_aws


def test_a_step_that_its_run_never_came_to_does_not_wait_for_its_turn(cloud: StrictProxy, reader: Reader) -> None:
    company, plan = planned_company()
    approve(plan)
    run = begin(plan)
    client = reader(company, Role.FOUNDER)
    assert "waits for its turn" in words(client.get(f"/cloud/runs/{run.pk}"))
    cloud.troubles = [Trouble(UPDATE, 400, "AccessDenied", skip=1)]
    finish(run, FakeClock())
    text = words(client.get(f"/cloud/runs/{run.pk}"))
    assert "waits for its turn" not in text
    assert "left undone: the run ended before" in text


def test_groups_read_before_a_run_that_ended_early_are_told_as_older(
    cloud: StrictProxy, reader: Reader, hour: Hour
) -> None:
    company, plan = planned_company()
    client = reader(company, Role.ADMIN)
    client.post("/cloud/look")
    approve(plan)
    older = "the run above has changed some since"
    run = begin(plan)
    assert older not in words(client.get("/cloud")), "nothing was asked of the cloud yet"
    cloud.troubles = [Trouble(UPDATE, 400, "AccessDenied", skip=1)]
    finish(run, FakeClock())
    text = words(client.get("/cloud"))
    assert older in text
    assert "What is left is planned anew once the groups are read again." in text
    assert "Proposed plan" not in text, "what is left is another plan, and the steps stand with the run"
    hour.pass_on(hours=1)
    client.post("/cloud/look")
    text = words(client.get("/cloud"))
    assert older not in text
    # What is decided since comes first, and the run that ended early stays below it.
    assert f"nothing is changed before. The last run ended early: plan {plan.pk} was partly applied." in text
    assert text.index("Proposed plan") < text.index("steps done")


def test_who_stopped_a_run_is_named_without_the_door(cloud: StrictProxy, reader: Reader, hour: Hour) -> None:
    company, plan = planned_company()
    approve(plan)
    run = begin(plan)
    turn_kill_switch(company_id=company.id, on=True, actor="page:ann@acme.io", reason="an incident", now=hour.now)
    running.work_on(run_id=run.pk, clock=FakeClock().as_clock())
    text = words(reader(company, Role.FOUNDER).get("/cloud"))
    assert text.count("the kill switch is on: an incident (ann@acme.io)") >= 2, "by the notice and by the run"
    assert "page:" not in text


def test_nothing_is_said_of_groups_that_could_not_be_read(
    cloud: StrictProxy, reader: Reader, settings: Settings, hour: Hour
) -> None:
    company, plan = planned_company()
    approve(plan)
    clock = FakeClock()
    finish(begin(plan), clock)
    finish(begin_rollback(plan, now=clock.now()), clock)
    hour.pass_on(minutes=5)
    client = reader(company, Role.ADMIN)
    client.post("/cloud/look")
    assert "Nothing to change now" in words(client.get("/cloud"))
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    client.post("/cloud/look")
    text = words(client.get("/cloud"))
    assert "The cloud cannot be read What stands below is from the last time it could be." in text
    assert "Nothing to change" not in text.partition("The cloud cannot be read")[0]


def test_the_end_of_what_is_left_alone_stands_in_the_companys_time_everywhere(
    cloud: StrictProxy, reader: Reader, hour: Hour
) -> None:
    company, plan = planned_company()
    Company.objects.filter(pk=company.id).update(timezone="Asia/Kolkata")
    approve(plan)
    clock = FakeClock()
    finish(begin(plan), clock)
    finish(begin_rollback(plan, now=clock.now()), clock)
    hour.pass_on(minutes=5)
    client = reader(company, Role.ADMIN)
    client.post("/cloud/look")
    text = words(client.get("/cloud"))
    assert re.search(r"until 8 Apr 2026, 17:3\d IST", text)
    assert re.search(r"is left alone until 2026-04-08 17:3\d IST", text), "as the cause of a decision, too"
    assert "UTC" not in text


def test_a_form_that_was_refused_keeps_what_was_typed_and_no_other_form_shows_it(
    cloud: StrictProxy, reader: Reader
) -> None:
    company, plan = planned_company()
    approve(plan)
    client = reader(company, Role.ADMIN)
    typed = "a long \u202ereason"
    kept = 'value="a long \N{REPLACEMENT CHARACTER}reason"'

    def refused(address: str, **also: str) -> str:
        response = client.post(address, {"reason": typed, **also})
        assert response.status_code == 422
        text = response.content.decode()
        assert text.count(kept) == 1, address
        return text[: text.index(kept)].rpartition("<input id=")[2]

    assert refused(f"/cloud/plans/{plan.pk}/apply").startswith('"apply-reason"')
    assert refused("/cloud/kill-switch", turn="on").startswith('"switch-reason"')
    finish(begin(plan), FakeClock())
    assert refused(f"/cloud/plans/{plan.pk}/rollback").startswith('"undo-reason"')
    finish(begin_rollback(plan), FakeClock())
    row = Exclusion.objects.order_by("pk")[2]
    assert refused(f"/cloud/exclusions/{row.pk}/lift").startswith(f'"lift-{row.pk}"')
