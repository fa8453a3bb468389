"""manage.py reproduce and replay_forecast."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command, load_command_class

from forecasting.models.run import ForecastRun
from forecasting.services.publish import publish_forecast
from tests.forecasting.small_company import NOW, small_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_a_run_that_is_reproduced_says_so_and_ends_well() -> None:
    run_id = publish_forecast(company_id=small_company().id, now=NOW).free_run_id
    assert "is reproduced: acme, free cash as of 2026-03-31" in run("reproduce", str(run_id))
    document = json.loads(run("reproduce", str(run_id), "--json"))
    assert (document["equal"], document["same_inputs"], document["difference"]) == (True, True, "")


def test_a_run_that_is_not_reproduced_ends_with_one_and_the_first_difference() -> None:
    run_id = publish_forecast(company_id=small_company().id, now=NOW).free_run_id
    stored = ForecastRun.objects.get(id=run_id)
    stored.result["bands"]["p5"][9] -= 0.01
    ForecastRun.objects.filter(id=run_id).update(result=stored.result)
    with pytest.raises(CommandError, match=r"not reproduced: bands\.p5\[9\]: ") as refusal:
        run("reproduce", str(run_id))
    assert refusal.value.returncode == 1


@pytest.mark.parametrize("changed", [{"engine_version": "0"}, {"numpy_version": "0.1"}])
def test_a_run_of_something_else_is_refused_in_one_line(changed: dict[str, str]) -> None:
    run_id = publish_forecast(company_id=small_company().id, now=NOW).free_run_id
    ForecastRun.objects.filter(id=run_id).update(**changed)
    with pytest.raises(CommandError, match="nothing is compared") as refusal:
        run("reproduce", str(run_id))
    assert "\n" not in str(refusal.value)


def test_an_unknown_run_is_refused_and_a_wrong_number_is_wrong_usage() -> None:
    with pytest.raises(CommandError, match="no forecast run 4711"):
        run("reproduce", "4711")
    with pytest.raises(SystemExit) as end:
        load_command_class("forecasting", "reproduce").run_from_argv(["manage.py", "reproduce", "latest"])
    assert end.value.code == 2


def test_a_day_is_replayed_in_words_and_as_json() -> None:
    publication = publish_forecast(company_id=small_company().id, now=NOW)
    day = str(NOW.date())
    text = run("replay_forecast", "--company", "acme", "--on", day)
    assert f"Run {publication.free_run_id}, in force then, is the same, bit for bit." in text
    document = json.loads(run("replay_forecast", "--company", "acme", "--on", day, "--json"))
    assert document["equals_published"] is True
    assert document["plan_version"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--company", "nobody", "--on", "2026-04-01"], "no company nobody"),
        (["--company", "acme", "--on", "2999-01-01"], "future"),
        (["--company", "acme", "--on", str(NOW.date() - timedelta(days=1))], "nothing was recorded"),
    ],
)
def test_a_replay_is_refused_in_one_line(arguments: list[str], message: str) -> None:
    small_company()
    with pytest.raises(CommandError, match=message):
        run("replay_forecast", *arguments)
