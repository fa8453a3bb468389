"""`export_policy`, `import_policy`, `replay_policy` and `policy_permissions`, as scripts and people see them."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from capstack.demo.cloud import seed_groups
from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.policy_text import read_yaml, write_yaml
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.policy import PolicyVersion
from cloudpolicy.services.prices import enter_price
from forecasting.services.publish import publish_forecast
from ledger.services.companies import create_company
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steer, steered_company

pytestmark = pytest.mark.django_db

READING = ("Describe", "Get", "List", "View")


def call(name: str, *options: object) -> str:
    output = StringIO()
    call_command(name, *[str(option) for option in options], stdout=output)
    return output.getvalue()


@pytest.fixture
def acme() -> Any:
    return create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)


def test_what_is_exported_is_imported_again(acme: Any, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(call("export_policy", "--company", "acme"))
    assert read_yaml(path.read_text()) == FOUNDING_LADDER
    said = json.loads(call("import_policy", path, "--company", "acme", "--because", "again", "--json"))
    assert (said["status"], said["version"]) == ("unchanged", 1)
    path.write_text(path.read_text().replace("cooldown_minutes: 0", "cooldown_minutes: 60"))
    assert "is a policy" in call("import_policy", path, "--company", "acme", "--because", "slower", "--check")
    assert "Version 2" in call("import_policy", path, "--company", "acme", "--because", "slower")
    row = PolicyVersion.objects.get(company=acme, version=2)
    assert (row.actor, row.because) == ("command:import_policy", "slower")
    former = json.loads(call("export_policy", "--company", "acme", "--policy-version", 1, "--json"))
    assert former == FOUNDING_LADDER


def test_json_is_imported_as_well(acme: Any, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({**FOUNDING_LADDER, "name": "from JSON"}))
    call("import_policy", path, "--company", "acme", "--because", "x")
    assert PolicyVersion.objects.get(company=acme, version=2).name == "from JSON"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "line 1 is not YAML"),
        ("rows: []", "schema"),
        (
            write_yaml(FOUNDING_LADDER).replace("until_days: 60", "until_days: 6"),
            r"rows\[0\].until_days \(line 10\)",
        ),
        ("x" * 200_000, "which no policy is"),
    ],
)
def test_what_is_no_policy_is_refused_in_one_line(acme: Any, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(CommandError, match=message) as refused:
        call("import_policy", path, "--company", "acme", "--because", "x")
    assert "\n" not in str(refused.value)
    assert PolicyVersion.objects.count() == 0


def test_what_is_not_there_is_refused_in_one_line(acme: Any, tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"name: caf\xe9")
    for name, options, message in (
        ("import_policy", (tmp_path / "none.yaml", "--company", "acme", "--because", "x"), "cannot be read"),
        ("import_policy", (path, "--company", "acme", "--because", "x"), "not UTF-8"),
        ("export_policy", ("--company", "nobody"), "there is no company nobody"),
        ("export_policy", ("--company", "acme", "--policy-version", 9), "no version 9"),
        ("policy_permissions", ("--company", "nobody"), "there is no company nobody"),
        ("replay_policy", ("--company", "acme", "--price", "free"), "--price must be an amount"),
    ):
        with pytest.raises(CommandError, match=message):
            call(name, *options)


def test_the_least_permissions_are_what_actions_declare_and_changes_need_the_tag(acme: Any) -> None:
    document = json.loads(call("policy_permissions"))
    statements = document["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert allowed == {permission for action in all_actions() for permission in action.permissions}
    changing = next(each for each in statements if "autoscaling:UpdateAutoScalingGroup" in each["Action"])
    assert changing["Condition"] == {"StringEquals": {"autoscaling:ResourceTag/capstack:managed": "true"}}
    reading = next(each for each in statements if "autoscaling:DescribeAutoScalingGroups" in each["Action"])
    assert all(action.partition(":")[2].startswith(READING) for action in reading["Action"])
    stopping = next(each for each in statements if "ec2:StopInstances" in each["Action"])
    assert stopping["Condition"] == {"StringEquals": {"ec2:ResourceTag/capstack:managed": "true"}}
    budgets = next(each for each in statements if "budgets:ModifyBudget" in each["Action"])
    assert budgets["Resource"] == "arn:aws:budgets::*:budget/capstack-*"


def test_a_companys_own_tag_is_in_its_permissions(acme: Any, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(write_yaml({**FOUNDING_LADDER, "opt_in": {"key": "team", "value": "web"}}))
    call("import_policy", path, "--company", "acme", "--because", "our own tag")
    assert '"autoscaling:ResourceTag/team": "web"' in call("policy_permissions", "--company", "acme")


def test_a_replay_tells_the_past_and_the_futures_and_changes_nothing(
    aws: RecordingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_groups(endpoint=aws.url, region="us-east-1")
    company = steered_company(days=100)
    now = timezone.now()
    for days_ago, days in ((4, 100), (3, 80), (2, 50), (1, 130)):
        steer(company, days=days)
        publish_forecast(company_id=company.id, now=now - timedelta(days=days_ago))
    # Hours go on being saved while the commands run, which takes its time on a busy machine.
    monkeypatch.setattr(timezone, "now", lambda: now)
    aws.actions.clear()
    told = json.loads(call("replay_policy", "--company", "acme", "--price", "0.5", "--json"))
    assert told["groups"] == 3
    past, future = told["past"], told["future"]
    assert past["forecasts"] == 4
    assert set(past["days_in_band"]) == {"above the ladder", "below 90", "below 60"}
    assert sum(past["days_in_band"].values()) == pytest.approx(4, abs=0.2)
    assert past["minutes_below_floor"] == 0
    # How many hours is told by the tests of the engine; money follows from them.
    assert float(past["money_saved"]) == pytest.approx(past["instance_hours_saved"] * 0.5, abs=0.05)
    assert past["days_gained"] == pytest.approx(float(past["money_saved"]) / 1000, abs=0.1)
    assert future["futures"] == 100
    assert future["instance_hours_saved"] > 0
    assert future["days_gained"] >= 0
    text = call("replay_policy", "--company", "acme")
    assert "worth unknown without --price: " in text
    assert "no bill line and no entered price" in text
    for environment in ("dev", "staging", "production"):
        for market in ("on_demand", "spot"):
            enter_price(
                company=company,
                region="us-east-1",
                group=f"capstack-{environment}-asg",
                market=market,
                per_hour="0.5",
                actor="ada",
                because="the price list",
                now=now,
            )
    by_ledger = json.loads(call("replay_policy", "--company", "acme", "--json"))
    assert by_ledger["past"]["money_saved"] == past["money_saved"]
    assert "entered by ada" in by_ledger["price_said"]
    assert told["price_said"] == "as given"
    assert not aws.mutating
    assert ScalingPlan.objects.count() == 0


def test_a_file_is_replayed_before_it_is_in_force(aws: RecordingProxy, tmp_path: Path) -> None:
    steered_company(days=80)
    path = tmp_path / "policy.yaml"
    path.write_text(write_yaml({**FOUNDING_LADDER, "name": "not yet"}))
    told = json.loads(call("replay_policy", path, "--company", "acme", "--json"))
    assert told["policy"] == "not yet"
    assert told["past_refusal"] == "no earlier forecast is stored yet"
    assert not PolicyVersion.objects.filter(name="not yet").exists()
