"""manage.py forecast."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from forecasting.models.run import ForecastRun
from ledger.services.companies import create_company
from tests.forecasting.small_company import NOW, small_company

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("forecast", *arguments, stdout=out)
    return out.getvalue()


def as_json(*arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run("--json", *arguments))
    return document


def test_it_prints_days_and_dates_burn_and_tranches() -> None:
    small_company()
    text = run("--company", "acme")
    for words in (
        "acme",
        "free cash of 120,000 USD",
        "2026-03-31",
        "p5",
        "p50",
        "p95",
        "Burn",
        "lowest on",
        "Second closing",
    ):
        assert words in text


def test_with_json_stdout_is_the_forecast_alone() -> None:
    small_company()
    document = as_json(
        "--company", "acme", "--basis", "bank", "--horizon", "180", "--paths", "2000", "--seed", "7"
    )
    assert (document["basis"], document["horizon_days"], document["paths"], document["seed"]) == (
        "bank",
        180,
        2000,
        7,
    )
    assert document["balance"] == "120000.00"
    assert document["probability_of_zero_by"]["365"] is None


def test_the_same_question_has_the_same_answer_and_another_seed_another() -> None:
    small_company()
    first, again, other = (as_json("--company", "acme", "--seed", seed) for seed in ("42", "42", "43"))
    assert first == again
    assert first["bands"] != other["bands"]


def test_it_publishes_nothing() -> None:
    small_company()
    run("--company", "acme")
    assert not ForecastRun.objects.exists()


def test_a_past_day_can_be_asked_for() -> None:
    small_company()
    document = as_json("--company", "acme", "--as-of", "2026-02-28")
    assert (document["as_of"], document["plan_version"]) == ("2026-02-28", 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--company", "nobody"], "no company nobody"),
        (["--company", "empty"], "no events"),
        (["--company", "empty", "--as-of", "2999-01-01"], "future"),
    ],
    ids=["unknown company", "no events", "future day"],
)
def test_it_refuses_in_one_line(arguments: list[str], message: str) -> None:
    create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=NOW)
    with pytest.raises(CommandError, match=message) as refusal:
        run(*arguments)
    assert refusal.value.returncode == 1
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--company", "acme", "--as-of", "31.03.2026"],
        ["--company", "acme", "--basis", "gold"],
        ["--company", "acme", "--horizon", "0"],
        ["--company", "acme", "--paths", "many"],
    ],
    ids=["no company", "date", "basis", "horizon", "paths"],
)
def test_wrong_usage_ends_with_two(arguments: list[str]) -> None:
    from django.core.management import load_command_class

    command = load_command_class("forecasting", "forecast")
    with pytest.raises(SystemExit) as end:
        command.run_from_argv(["manage.py", "forecast", *arguments])
    assert end.value.code == 2
