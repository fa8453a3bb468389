"""Planning behind the queue: woken by a forecast, done by a real worker, found by the sweep if not woken."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from django.utils import timezone
from pytest_django.fixtures import Settings

from capstack.demo.cloud import seed_groups
from cloudpolicy import jobs
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.models.approval import ApprovalKind, PlanApproval
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.services.aws import client
from cloudpolicy.services.policies import enable_policy
from cloudpolicy.wake import wake
from forecasting.services.publish import publish_forecast
from forecasting.signals import forecast_published
from tests.cloudpolicy.calibrated import calibrate
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steered_company
from tests.tight_demo import create_tight_demo


def queued(client: "redis.Redis") -> int:
    return int(client.llen("rq:queue:scaling"))  # type: ignore[arg-type]


def test_a_real_worker_plans_after_a_forecast(
    committed_db: str,
    aws: RecordingProxy,
    empty_redis: "redis.Redis",
    start_worker: Callable[[str], object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    seed_groups(endpoint=aws.url, region="us-east-1")
    demo = create_tight_demo(monkeypatch=monkeypatch, now=timezone.now(), sign_ins_path=tmp_path / "sign-ins.json")
    calibrate(company_id=demo.company_id, now=timezone.now())
    aws.actions.clear()
    publish_forecast(company_id=demo.company_id, now=timezone.now())
    assert queued(empty_redis) == 1
    start_worker("scaling")
    deadline = time.monotonic() + 60
    while not ScalingPlan.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    plan = ScalingPlan.objects.get()
    assert plan.calls
    assert plan.read_only_because == []
    assert not aws.mutating


def test_a_real_worker_goes_from_a_forecast_to_groups_as_they_should_be_step_by_step(
    committed_db: str,
    aws: RecordingProxy,
    empty_redis: "redis.Redis",
    start_worker: Callable[[str], object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Nobody is asked: the policy approves by itself, and each step is followed by the next one."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    seed_groups(endpoint=aws.url, region="us-east-1")
    demo = create_tight_demo(monkeypatch=monkeypatch, now=timezone.now(), sign_ins_path=tmp_path / "sign-ins.json")
    calibrate(company_id=demo.company_id, now=timezone.now())
    rows = [row | {"below_days": 3660, "until_days": 3660} for row in FOUNDING_LADDER["rows"][:2]]
    changes = {
        "rows": rows,
        "otherwise": [],
        "approval": {"non_production": "automatic"},
        "limits": FOUNDING_LADDER["limits"] | {"step_percent": 50},
    }
    enable_policy(
        company_id=demo.company_id,
        document=FOUNDING_LADDER | changes,
        actor="test",
        because="the test wants it",
        now=timezone.now(),
    )
    publish_forecast(company_id=demo.company_id, now=timezone.now())
    start_worker("scaling")
    wanted = {"capstack-dev-asg": 1, "capstack-staging-asg": 2, "capstack-production-asg": 8}
    autoscaling, found = client("autoscaling", region="us-east-1"), {}
    deadline = time.monotonic() + 60
    while found != wanted and time.monotonic() < deadline:
        time.sleep(0.2)
        groups = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        found = {group["AutoScalingGroupName"]: group["DesiredCapacity"] for group in groups}
    assert found == wanted
    steps = [
        (call["before"]["desired"], call["after"]["desired"])
        for plan in ScalingPlan.objects.order_by("id")
        for call in plan.calls
        if call["action"] == "resize_group" and call["group"] == "capstack-dev-asg"
    ]
    assert steps[:2] == [(3, 2), (2, 1)]
    assert set(PlanApproval.objects.values_list("kind", flat=True)) == {ApprovalKind.POLICY}


@pytest.mark.django_db
def test_a_forecast_every_moment_leaves_one_job_waiting(empty_redis: "redis.Redis") -> None:
    for _ in range(5):
        forecast_published.send_robust(sender=None, company_id=7, run_id=1)
    assert queued(empty_redis) == 1
    forecast_published.send_robust(sender=None, company_id=8, run_id=2)
    assert queued(empty_redis) == 2


def test_without_redis_waking_fails_quietly(settings: Settings) -> None:
    settings.REDIS_QUEUE_URL = "redis://127.0.0.1:9/0"
    assert wake(company_id=1) is False


@pytest.mark.django_db
def test_the_sweep_finds_a_company_that_was_not_woken(aws: RecordingProxy, empty_redis: "redis.Redis") -> None:
    company = steered_company(days=80)
    publish_forecast(company_id=company.id, now=NOW)
    empty_redis.flushdb()
    assert jobs.sweep(now=NOW) == 1
    assert queued(empty_redis) == 1
    # The forecast of these fixed days is old by the clock, which is a decision too.
    assert jobs.replan(company_id=company.id) == "planned"
    assert jobs.sweep(now=timezone.now()) == 0


@pytest.mark.django_db
def test_a_cloud_that_does_not_answer_does_not_fail_the_job(
    empty_redis: "redis.Redis", settings: Settings
) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    company = steered_company(days=80)
    publish_forecast(company_id=company.id, now=NOW)
    assert jobs.replan(company_id=company.id) == "unavailable"
    assert jobs.replan(company_id=company.id) == "resting"
