"""The published schema and the parser say yes and no to the same documents."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import cloudpolicy
from cloudpolicy.engine.document import InvalidPolicy, parse_policy
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.policy_text import read_yaml

SCHEMA = json.loads((Path(cloudpolicy.__file__).parent / "policy_schema.json").read_text(encoding="utf-8"))
CHECKER = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())

FULL: dict[str, Any] = copy.deepcopy(FOUNDING_LADDER)
FULL["rows"][0] |= {
    "suspended_processes": ["AZRebalance"],
    "may_stop_schedules": True,
    "stopped": ["instances", "databases"],
    "budget": {"usd_per_month": 500, "alert_percent": 80, "notify": "cfo@example.com", "may_loosen": True},
}
FULL["otherwise"][0] |= {"suspended_processes": [], "budget": None}
FULL["limits"] |= {"groups_per_plan": 10, "step_percent": 50, "act_uncalibrated": True}
FULL["pace"] = {"dwell_forecasts": 2, "cooldown_minutes": 60}
FULL["quiet"] = {
    "hours": [{"days": ["fri"], "from": "18:00", "until": "07:00"}, {"from": "00:00", "until": "01:00"}],
    "skip_days": ["2026-12-24"],
}
FULL["groups"] = [
    {"group": "a", "floor": 1},
    {"group": "b", "exclude_until": "2026-12-31", "because": "audit"},
]
FULL["approval"] |= {"two_people_above_instances": 20, "exact_run": False}

# (path of keys, value that neither may take)
REFUSED: list[tuple[tuple[str | int, ...], object]] = [
    (("unknown",), 1),
    (("schema",), 2),
    (("name",), ""),
    (("name",), "x" * 129),
    (("group_name",), "capstack-asg"),
    (("group_name",), "{environment}-{environment}"),
    (("group_name",), "{team}-{environment}"),
    (("opt_in",), {"key": "k"}),
    (("rows",), {}),
    (("rows", 0, "below_days"), 0),
    (("rows", 0, "below_days"), 3661),
    (("rows", 0, "below_days"), "45"),
    (("rows", 0, "spot"), "on"),
    (("rows", 0, "capacity", "min"), -1),
    (("rows", 0, "capacity", "max"), 1.5),
    (("rows", 0, "capacity", "typo"), 1),
    (("rows", 0, "suspended_processes"), ["Everything"]),
    (("rows", 0, "suspended_processes"), ["Launch", "Launch"]),
    (("rows", 0, "may_stop_schedules"), "yes"),
    (("rows", 0, "stopped"), ["groups"]),
    (("rows", 0, "stopped"), ["instances", "instances"]),
    (("rows", 0, "budget"), {"alert_percent": 80}),
    (("rows", 0, "budget", "notify"), "the CFO"),
    (("rows", 0, "budget", "notify"), f"{'x' * 50}@example.com"),
    (("rows", 0, "budget", "notify"), "arn:aws:sns:us-east-1:1:short"),
    (("rows", 0, "budget", "may_loosen"), 1),
    (("rows", 0, "budget", "alert_percent"), 101),
    (("rows", 0, "budget", "usd_per_month"), 0),
    (("otherwise", 0, "below_days"), 5),
    (("floors", "production"), -1),
    (("floors", ""), 1),
    (("on_demand_percent_with_spot",), 100),
    (("limits", "coverage_tolerance"), 1),
    (("limits", "coverage_tolerance"), True),
    (("limits", "forecast_age_hours"), 745),
    (("limits", "groups_per_plan"), 0),
    (("limits", "step_percent"), 101),
    (("limits", "act_uncalibrated"), 1),
    (("pace", "dwell_forecasts"), 0),
    (("pace", "cooldown_minutes"), -1),
    (("quiet", "hours", 0, "days"), ["friday"]),
    (("quiet", "hours", 0, "from"), "24:00"),
    (("quiet", "hours", 0, "until"), "7:00"),
    (("quiet", "skip_days"), ["24.12.2026"]),
    (("quiet", "skip_days"), ["2026-02-30"]),
    (("groups", 0), {"group": "a"}),
    (("groups", 1), {"group": "b", "exclude_until": "2026-12-31"}),
    (("groups", 1), {"group": "b", "exclude_until": None, "because": "for ever"}),
    (("groups", 1, "exclude_until"), "never"),
    (("approval", "non_production"), "never"),
    (("approval", "production"), "production"),
    (("approval", "two_people_above_instances"), -1),
    (("approval", "exact_run"), "yes"),
]
# The parser knows more: what only several values together make wrong.
PARSER_ALONE: list[tuple[tuple[str | int, ...], object, str]] = [
    (("rows", 0, "until_days"), 44, "rows[0].until_days"),
    (("rows", 0, "capacity", "desired"), 9, "rows[0].capacity"),
    (("rows", 2, "capacity", "min"), 1, "rows[2].capacity"),
    (("rows", 3, "below_days"), 45, "rows"),
    (("rows", 2, "stopped"), ["instances"], "rows[2].stopped"),
    (("floors",), {}, "floors.production"),
    (("groups", 1, "group"), "a", "groups"),
    (("quiet", "hours"), [{"from": "08:00", "until": "08:00"}], "quiet.hours"),
]


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    document = copy.deepcopy(FULL)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("document", [FULL, FOUNDING_LADDER], ids=["full", "founding"])
def test_both_accept_a_policy(document: dict[str, Any]) -> None:
    CHECKER.validate(document)
    parse_policy(document)


def test_a_policy_with_every_key_has_every_key_of_the_schema() -> None:
    assert set(FULL) == set(SCHEMA["properties"])


def test_both_accept_a_policy_of_the_first_kind_which_knew_no_pace() -> None:
    document = {key: FULL[key] for key in SCHEMA["required"]}
    CHECKER.validate(document)
    assert parse_policy(document).pace.dwell_forecasts == 1


@pytest.mark.parametrize(("path", "value"), REFUSED, ids=lambda part: str(part)[:40])
def test_both_refuse(path: tuple[str | int, ...], value: object) -> None:
    document = changed(path, value)
    assert not CHECKER.is_valid(document)
    with pytest.raises(InvalidPolicy) as refused:
        parse_policy(document)
    assert all(problem.message and problem.path for problem in refused.value.problems)


@pytest.mark.parametrize("key", SCHEMA["required"])
def test_both_know_the_same_required_keys(key: str) -> None:
    document = copy.deepcopy(FULL)
    del document[key]
    assert not CHECKER.is_valid(document)
    with pytest.raises(InvalidPolicy):
        parse_policy(document)


@pytest.mark.parametrize(("path", "value", "named"), PARSER_ALONE, ids=lambda part: str(part)[:40])
def test_the_parser_refuses_what_only_several_values_make_wrong(
    path: tuple[str | int, ...], value: object, named: str
) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        parse_policy(changed(path, value))
    assert named in {problem.path for problem in refused.value.problems}


def test_the_policy_in_the_documentation_is_one() -> None:
    text = (Path(cloudpolicy.__file__).parent.parent / "docs" / "policy.md").read_text(encoding="utf-8")
    document = read_yaml(text.partition("```yaml\n")[2].partition("```")[0])
    CHECKER.validate(document)
    assert parse_policy(document).groups["load-test"].because == "load test"
