"""`manage.py plan_scaling`, as scripts and people see it."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from capstack.demo.cloud import seed_groups
from cloudpolicy.engine.document import canonical_digest
from cloudpolicy.models.policy import PolicyVersion
from ledger.services.companies import create_company
from tests.cloudpolicy.calibrated import calibrate
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.tight_demo import create_tight_demo

pytestmark = pytest.mark.django_db


def plan_scaling(*options: str) -> str:
    output = StringIO()
    call_command("plan_scaling", *options, stdout=output)
    return output.getvalue()


@pytest.fixture
def demo(aws: RecordingProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RecordingProxy:
    """Give the demo company of three months and its groups."""
    seed_groups(endpoint=aws.url, region="us-east-1")
    company = create_tight_demo(
        monkeypatch=monkeypatch, now=timezone.now(), sign_ins_path=tmp_path / "sign-ins.json"
    )
    calibrate(company_id=company.company_id, now=timezone.now())
    aws.actions.clear()
    return aws


def test_it_prints_the_plan_as_json_and_changes_nothing(demo: RecordingProxy) -> None:
    plan = json.loads(plan_scaling("--company", "demo", "--json"))
    assert {"plan_id", "p5_days", "forecast_run", "policy", "band", "read_only_because", "calls"} <= set(plan)
    assert plan["read_only_because"] is None
    assert 60 <= plan["p5_days"] < 90
    (resize,) = (call for call in plan["calls"] if call["group"] == "capstack-production-asg")
    assert resize["before"] == {"min": 3, "max": 12, "desired": 8}
    assert resize["after"] == {"min": 2, "max": 8, "desired": 4}
    assert resize["permission"] == "autoscaling:UpdateAutoScalingGroup"
    assert {"action", "group", "environment", "region", "before", "after", "permission"} <= set(resize)
    assert demo.actions
    assert not demo.mutating


def test_it_prints_the_plan_for_people(demo: RecordingProxy) -> None:
    text = plan_scaling("--company", "demo")
    assert "below 90" in text
    assert "(resize_group, us-east-1): production below 90" in text
    assert "desired: 8 -> 4" in text
    assert "none was made" in text


def test_an_unknown_company_is_refused_in_one_line() -> None:
    with pytest.raises(CommandError, match="there is no company nobody"):
        plan_scaling("--company", "nobody")


def test_a_cloud_that_cannot_be_reached_is_refused_in_one_line(demo: RecordingProxy, settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="the groups cannot be read: AWS cannot be reached") as refused:
        plan_scaling("--company", "demo")
    assert "\n" not in str(refused.value)


def test_a_company_without_events_gets_a_plan_that_says_why_it_is_empty(aws: RecordingProxy) -> None:
    create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=timezone.now())
    plan = json.loads(plan_scaling("--company", "empty", "--json"))
    assert plan["calls"] == []
    assert "no events are recorded yet" in plan["read_only_because"]
    assert "Nothing to do." in plan_scaling("--company", "empty")


def test_a_policy_that_somebody_broke_by_hand_is_refused_in_one_line(aws: RecordingProxy) -> None:
    company = create_company(slug="broken", name="Broken", currency="USD", timezone="UTC", now=timezone.now())
    PolicyVersion.objects.create(
        company=company, version=1, name="x", document={}, digest=canonical_digest({}), created_at=timezone.now()
    )
    with pytest.raises(CommandError, match="the stored policy is broken"):
        plan_scaling("--company", "broken")


def test_the_demos_plan_is_priced_at_once(demo: RecordingProxy) -> None:
    plan = json.loads(plan_scaling("--company", "demo", "--json"))
    (resize,) = (call for call in plan["calls"] if call["group"] == "capstack-production-asg")
    assert float(resize["monthly_saving"]) > 3_000
    assert resize["price"] == "bill lines of r6i.8xlarge in us-east-1, 30 days"
    assert plan["worth"]["days_of_p5"] is not None
    text = plan_scaling("--company", "demo")
    assert "saves 4,0" in text
    assert "Together: " in text
