"""manage.py load_plan."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from forecasting.models.plan import Plan
from tests.forecasting.small_company import PLAN, small_company

pytestmark = pytest.mark.django_db


def load(path: Path, *arguments: str, company: str = "acme") -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("load_plan", str(path), "--company", company, *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def written(tmp_path: Path, plan: Any) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(plan if isinstance(plan, str) else json.dumps(plan), encoding="utf-8")
    return path


def test_it_records_and_says_so(tmp_path: Path) -> None:
    small_company(plan=None)
    out, err = load(written(tmp_path, PLAN))
    assert "version 1" in out
    assert err == ""
    assert Plan.objects.get().actor == "command:load_plan"


def test_the_same_file_again_is_unchanged(tmp_path: Path) -> None:
    small_company(plan=None)
    load(written(tmp_path, PLAN))
    assert "unchanged" in load(written(tmp_path, PLAN))[0]


def test_with_json_stdout_is_the_result_alone_and_warnings_go_to_stderr(tmp_path: Path) -> None:
    small_company(plan=None)
    out, err = load(written(tmp_path, PLAN | {"company": "other"}), "--json")
    result = json.loads(out)
    assert (result["status"], result["version"], result["balances"]) == ("recorded", 1, 1)
    assert "other" in err


def test_a_difference_is_told_per_currency(tmp_path: Path) -> None:
    small_company(plan=None)
    out, _ = load(written(tmp_path, PLAN | {"history_opening_balance": {"USD": "0.00"}}))
    assert "USD" in out
    assert "unexplained" in out


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (PLAN | {"tranche": []}, r"tranche: is not a key"),
        ("{", r"is not JSON"),
        (PLAN | {"as_of": "tomorrow"}, r"as_of: must be a date"),
    ],
    ids=["unknown key", "no JSON", "no date"],
)
def test_it_refuses_in_one_line_that_names_the_path(tmp_path: Path, plan: Any, message: str) -> None:
    small_company(plan=None)
    with pytest.raises(CommandError, match=message) as refusal:
        load(written(tmp_path, plan))
    assert refusal.value.returncode == 1
    assert "\n" not in str(refusal.value)
    assert not Plan.objects.exists()


def test_it_refuses_a_file_that_is_not_there_and_a_company_that_is_not(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        load(tmp_path / "nothing.json", company=small_company().slug)
    with pytest.raises(CommandError, match="no company nobody"):
        load(written(tmp_path, PLAN), company="nobody")
