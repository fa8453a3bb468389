"""Exclusions and suspended processes in the admin: read by finance, and lifted by admins with a reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cloudpolicy.models.cursor import PlanningCursor
from cloudpolicy.models.exclusion import Exclusion
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, RunState, ScalingRun
from cloudpolicy.models.suspended_process import SuspendedProcess
from cloudpolicy.selectors.memory import read_history
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.refusals import MAX_REASON
from cloudpolicy.services.runs import end_run
from ledger.models.company import Company, Role
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steered_company
from tests.cloudpolicy.test_plan_admin import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]
LATER = NOW + timedelta(minutes=1)
LIST, PROCESSES = "/admin/cloudpolicy/exclusion/", "/admin/cloudpolicy/suspendedprocess/"


@pytest.fixture
def excluded(aws: RecordingProxy, monkeypatch: pytest.MonkeyPatch) -> Exclusion:
    """A group that somebody has rolled back a minute ago, by the clock of the pages."""
    company = steered_company(days=80)
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    plan = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=NOW).plan_id)
    place = {"company_id": company.id, "plan": plan, "region": "us-east-1"}
    SuspendedProcess.objects.create(**place, group="capstack-dev-asg", process="AZRebalance", suspended_at=NOW)
    return Exclusion.objects.create(
        **place,
        name="capstack-dev-asg",
        actor="admin:ben",
        because="plan 1 was rolled back: a load test",
        made_at=NOW,
        ends_at=NOW + timedelta(days=7),
    )


def act_of(row: Exclusion | SuspendedProcess) -> str:
    return reverse(f"admin:cloudpolicy_{row._meta.model_name}_act", args=(row.pk,))


def lift(client: Client, row: Exclusion, reason: str = "the test is over") -> Any:
    return client.post(act_of(row), {"reason": reason}, follow=True)


def page_of(client: Client, row: Exclusion | SuspendedProcess) -> str:
    address = reverse(f"admin:cloudpolicy_{row._meta.model_name}_change", args=(row.pk,))
    return client.get(address).content.decode()


def test_an_admin_lifts_an_exclusion_with_a_reason_and_once(client: Client, excluded: Exclusion) -> None:
    Company.objects.update(timezone="America/New_York")
    admin = sign_in(client, Role.ADMIN, excluded.company)
    listed = admin.get(LIST).content.decode()
    # The company's time, and not the installation's.
    ends = "8\N{NO-BREAK SPACE}Apr\N{NO-BREAK SPACE}2026, 08:00 EDT"
    assert ("counts" in listed, ends in listed) == (True, True)
    assert "Lift it…" in page_of(admin, excluded)
    asked = admin.get(act_of(excluded)).content.decode()
    assert f"is left alone until {ends}" in asked
    assert lift(admin, excluded, " ").status_code == 422
    excluded.refresh_from_db()
    assert excluded.lifted_at is None
    longest = "over " * (MAX_REASON // 5 - 1) + "over!"
    assert "decide about again" in lift(admin, excluded, longest).content.decode()
    excluded.refresh_from_db()
    assert (excluded.lifted_at, excluded.lifted_by) == (LATER, f"admin:admin@example.com: {longest}")
    assert PlanningCursor.objects.get().look_again_at == LATER, "the policy looks again at once"
    assert "Lift it…" not in page_of(admin, excluded)
    again = lift(admin, excluded)
    assert (again.status_code, "no exclusion" in again.content.decode()) == (422, True)


def test_one_that_has_ended_is_shown_as_that_and_not_lifted(client: Client, excluded: Exclusion) -> None:
    Exclusion.objects.filter(pk=excluded.pk).update(ends_at=LATER)
    admin = sign_in(client, Role.ADMIN, excluded.company)
    assert "has ended" in page_of(admin, excluded)
    assert "Lift it…" not in page_of(admin, excluded)
    assert lift(admin, excluded).status_code == 422


def test_finance_reads_and_a_stranger_does_not(client: Client, excluded: Exclusion) -> None:
    finance = sign_in(client, Role.FINANCE, excluded.company)
    assert "a load test" in page_of(finance, excluded)
    assert "Lift it…" not in page_of(finance, excluded)
    assert lift(finance, excluded).status_code == 403
    assert "AZRebalance" in finance.get(PROCESSES).content.decode()
    other = steered_company(days=30, slug="other")
    stranger = sign_in(Client(), Role.ADMIN, Company.objects.get(pk=other.id), "stranger")
    assert lift(stranger, excluded).status_code == 403
    for address in (LIST, PROCESSES):
        assert "capstack-dev-asg" not in stranger.get(address).content.decode()
    excluded.refresh_from_db()
    assert excluded.lifted_at is None


def test_an_admin_takes_a_suspended_process_over_and_the_policy_resumes_it_no_more(
    client: Client, excluded: Exclusion
) -> None:
    row, admin = SuspendedProcess.objects.get(), sign_in(client, Role.ADMIN, excluded.company)
    finance = sign_in(Client(), Role.FINANCE, excluded.company)
    place = ("", "us-east-1", "capstack-dev-asg")
    assert read_history(company_id=row.company_id, now=LATER).suspended == {place: frozenset({"AZRebalance"})}
    assert "Leave it suspended…" in page_of(admin, row)
    assert "Leave it suspended…" not in page_of(finance, row)
    assert finance.post(act_of(row), {"reason": "x"}).status_code == 403
    run = ScalingRun.objects.create(
        company_id=row.company_id, plan=row.plan, kind=RunKind.APPLY, started_at=NOW, resume_at=NOW
    )
    busy = admin.post(act_of(row), {"reason": "x"})
    assert (busy.status_code, "A run is under way" in busy.content.decode()) == (422, True)
    end_run(run, RunState.STOPPED, outcome="", now=NOW)
    assert "is left suspended" in admin.post(act_of(row), {"reason": "zones differ"}, follow=True).content.decode()
    row.refresh_from_db()
    assert (row.released_at, row.left_because) == (LATER, "admin:admin@example.com: zones differ")
    assert read_history(company_id=row.company_id, now=LATER).suspended == {}
    assert "Leave it suspended…" not in page_of(admin, row)
    assert admin.post(act_of(row), {"reason": "again"}).status_code == 422


@pytest.mark.parametrize("table", [Exclusion, SuspendedProcess], ids=lambda table: table.__name__)
def test_nobody_adds_edits_or_deletes_what_the_engine_remembers(
    client: Client, excluded: Exclusion, table: Any
) -> None:
    admin = sign_in(client, Role.ADMIN, excluded.company)
    admin_of = f"admin:cloudpolicy_{table._meta.model_name}"
    row = table.objects.get()
    assert admin.get(reverse(f"{admin_of}_add")).status_code == 403
    assert admin.post(reverse(f"{admin_of}_change", args=(row.pk,)), {"region": "x"}).status_code == 403
    assert admin.post(reverse(f"{admin_of}_delete", args=(row.pk,)), {"post": "yes"}).status_code == 403
