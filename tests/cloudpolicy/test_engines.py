"""Two engines at once, and one that is killed for good."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from django.db import DatabaseError, connection, transaction
from pytest_django.fixtures import Settings

from cloudpolicy import jobs
from cloudpolicy.models.run import RunState, ScalingRun
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.clouds import Clouds, cloud_accounts
from cloudpolicy.services.engine_lock import LockLost, _key, engine_lock
from cloudpolicy.services.inventory import read_company_groups
from cloudpolicy.services.planning_lock import lock_planning
from cloudpolicy.services.running import work_on
from cloudpolicy.services.runs import end_run, start_apply
from ledger.services.companies import create_company
from tests.cloudpolicy.engine.samples import LADDER
from tests.cloudpolicy.groups_of_five import (
    AFTER,
    FakeClock,
    approve,
    begin,
    finish,
    make_five_groups,
    planned_company,
    sizes,
)
from tests.cloudpolicy.steered_company import NOW as NOON
from tests.cloudpolicy.strict_proxy import UPDATE, StrictProxy, Trouble
from tests.cloudpolicy.test_applying import set_size
from tests.cloudpolicy.test_doubt import EventfulClock

NOW = datetime(2026, 4, 1, tzinfo=UTC)
REPOSITORY = Path(__file__).resolve().parents[2]
KILLED = """
import django
django.setup()
from datetime import UTC, datetime
from cloudpolicy.services.run_pace import Clock
from cloudpolicy.services.running import work_on
work_on(run_id={run}, clock=Clock(now=lambda: datetime(2026, 4, 1, 12, 1, tzinfo=UTC)))
"""


def test_an_engine_that_is_killed_holds_nothing_and_its_run_is_resumed(
    committed_db: str, strict_aws: StrictProxy, empty_redis: "redis.Redis"
) -> None:
    make_five_groups()
    _, plan = planned_company()
    approve(plan)
    run = begin(plan)
    strict_aws.forget()
    # The third call reaches the server, and its answer takes longer than the engine lives.
    strict_aws.troubles = [Trouble(UPDATE, 0, does_it=True, seconds=2.0, skip=2)]
    engine = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(run=run.pk)],
        cwd=REPOSITORY,
        env={**os.environ, "DATABASE_URL": committed_db, "AWS_ENDPOINT_URL": strict_aws.url},
    )
    try:
        deadline = time.monotonic() + 60
        while strict_aws.actions[UPDATE] < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert strict_aws.actions[UPDATE] == 3
        # Another engine finds it at work.
        assert jobs.work_on_run(run_id=run.pk) == "busy"
        time.sleep(0.3)
        engine.send_signal(signal.SIGKILL)
    finally:
        engine.kill()
        engine.wait(timeout=20)
    assert ScalingRun.objects.get(pk=run.pk).state == RunState.OPEN
    run = finish(run, FakeClock())
    assert (run.state, run.outcome) == (RunState.DONE, "")
    assert sizes() == AFTER
    assert strict_aws.actions[UPDATE] + strict_aws.actions["CreateLaunchTemplateVersion"] == len(plan.calls)


def test_of_two_who_apply_a_plan_at_once_the_second_gets_the_run_of_the_first(
    committed_db: str, strict_aws: StrictProxy
) -> None:
    make_five_groups()
    company, plan = planned_company()
    approve(plan)
    found: list[ScalingRun | None] = []

    def second() -> None:
        try:
            found.append(start_apply(company_id=company.id, plan_id=plan.pk, actor="second", reason="x", now=NOON))
        finally:
            connection.close()

    waiting = threading.Thread(target=second)
    with transaction.atomic():
        lock_planning(company.id)
        waiting.start()
        wait_for_lock()
        run = begin(plan)
        # By the time the second one gets its turn, the first run has come to its end.
        end_run(run, RunState.DONE, outcome="", now=NOON)
    waiting.join(timeout=60)
    assert [each and each.pk for each in found] == [run.pk]
    assert ScalingRun.objects.count() == 1


def wait_for_lock() -> None:
    """Until another session waits for an advisory lock."""
    deadline = time.monotonic() + 60
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone():
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")


def test_a_session_that_is_gone_does_not_hide_what_ended_the_work(committed_db: str) -> None:
    def work() -> None:
        with engine_lock(company_id=1, accounts=[""]):
            with connection.cursor() as cursor, suppress(DatabaseError):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            raise ValueError("what ended the work")

    with pytest.raises(ValueError, match="what ended the work"):
        work()
    connection.close()
    with engine_lock(company_id=1, accounts=[""]):
        pass  # Nobody holds it any more.


def test_an_engine_whose_session_was_replaced_asks_for_nothing_more(
    committed_db: str, strict_aws: StrictProxy
) -> None:
    make_five_groups()
    _, plan = planned_company()
    approve(plan)
    run = begin(plan)

    def reconnect() -> None:
        connection.close()  # Django opens another session at the next question, and that one holds no lock.
        set_size("dev2", 1, 2, 1)
        strict_aws.forget()

    strict_aws.troubles = [Trouble(UPDATE, 500, "InternalFailure", skip=1)]
    clock = EventfulClock(is_ready=lambda: not strict_aws.troubles, happens=reconnect)
    with pytest.raises(LockLost):
        work_on(run_id=run.pk, clock=clock.as_clock())
    assert clock.happens is None
    assert not strict_aws.mutating
    assert finish(run, clock).state == RunState.DONE
    assert sizes() == AFTER


@pytest.mark.parametrize("ends_badly", [False, True])
def test_an_engine_that_ends_lets_go_of_all_its_accounts(committed_db: str, *, ends_badly: bool) -> None:
    with suppress(ValueError), engine_lock(company_id=1, accounts=["", "labs"]):
        if ends_badly:
            raise ValueError
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_the_lock_of_another_account_is_another_lock(strict_aws: StrictProxy) -> None:
    make_five_groups()
    _, plan = planned_company()
    approve(plan)
    run = begin(plan)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_key(plan.company_id, "another account")])
            cursor.execute("SELECT pg_advisory_lock(%s)", [_key(plan.company_id + 1, "")])
            assert finish(run, FakeClock()).state == RunState.DONE
    finally:
        other.close()


def test_several_accounts_are_entered_by_their_roles(strict_aws: StrictProxy, settings: Settings) -> None:
    settings.CLOUD_ACCOUNTS = """[
        {"company": "acme", "name": "main", "regions": ["us-east-1"]},
        {"company": "acme", "name": "labs", "role_arn": "arn:aws:iam::111111111111:role/capstack",
         "external_id": "xyz", "regions": ["eu-west-1"]}
    ]"""
    make_five_groups()
    groups = read_company_groups(company="acme", policy=LADDER)
    assert {(group.account, group.region) for group in groups} == {("main", "us-east-1")}
    assert len(groups) == 5
    assert strict_aws.actions["AssumeRole"] == 1
    assert read_company_groups(company="other", policy=LADDER) == ()
    with pytest.raises(CloudUnavailable, match="no cloud account is configured as 'labs'"):
        Clouds("other").at(account="labs", region="eu-west-1").reading("autoscaling")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "it is no JSON"),
        ("{}", "it is no list"),
        ('[{"company": "acme"}]', r"\[0\].name is missing"),
        ('[{"company": "acme", "name": "a", "secret": "x"}]', r"\[0\] must be an object with the keys"),
        ('[{"company": "acme", "name": "a", "role_arn": "admin"}]', "role_arn is no ARN"),
        ('[{"company": "acme", "name": "a", "regions": []}]', "regions must be a list"),
        ('[{"company": "a", "name": "a"}, {"company": "a", "name": "a"}]', "share a name"),
    ],
)
def test_a_wrong_setting_is_refused_by_entry_and_key(settings: Settings, text: str, problem: str) -> None:
    settings.CLOUD_ACCOUNTS = text
    with pytest.raises(CloudUnavailable, match=problem):
        cloud_accounts(company="acme")


def test_an_account_of_the_environment_is_nobodys_where_there_are_several_companies(
    db: None, settings: Settings
) -> None:
    settings.CLOUD_ACCOUNTS, settings.AWS_ENDPOINT_URL = "", ""
    create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)
    assert [account.name for account in cloud_accounts(company="acme")] == [""]
    create_company(slug="other", name="Other", currency="USD", timezone="UTC", now=NOW)
    with pytest.raises(CloudUnavailable, match="must say whose cloud account this is"):
        cloud_accounts(company="acme")
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    assert [account.name for account in cloud_accounts(company="other")] == [""]
