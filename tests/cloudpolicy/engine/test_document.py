"""Policies are documents; a bad one is refused with every problem at its path."""

from copy import deepcopy
from typing import Any

import pytest

from cloudpolicy.engine.document import InvalidPolicy, canonical_digest, parse_policy
from cloudpolicy.engine.ladder import FOUNDING_LADDER


def changed(path: str, value: Any) -> dict[str, Any]:
    """The founding ladder with one value replaced, e.g. `rows.0.capacity.min`."""
    document = deepcopy(FOUNDING_LADDER)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = document
    for part in parents:
        place = place[part]
    place[last] = value
    return document


def problems_of(document: object) -> dict[str, str]:
    with pytest.raises(InvalidPolicy) as refused:
        parse_policy(document)
    return {problem.path: problem.message for problem in refused.value.problems}


def test_the_founding_ladder_is_a_policy() -> None:
    policy = parse_policy(FOUNDING_LADDER)
    table = [(row.environment, row.below_days, row.until_days, str(row.capacity), row.spot) for row in policy.rows]
    assert table == [
        ("dev", 45, 60, "min 1, max 2, desired 1", False),
        ("staging", 60, 120, "min 1, max 4, desired 2", False),
        ("production", 90, 120, "min 2, max 8, desired 4", True),
        ("dev", 60, 120, "min 1, max 2, desired 1", False),
    ]
    assert str(policy.otherwise[0].capacity) == "min 3, max 12, desired 8"


@pytest.mark.parametrize(
    ("path", "value", "problem_path"),
    [
        ("rows.0.capacity.min", -1, "rows[0].capacity.min"),
        ("rows.0.capacity.min", True, "rows[0].capacity.min"),
        ("rows.0.capacity.desired", 5, "rows[0].capacity"),
        ("rows.1.capacity.min", 9, "rows[1].capacity"),
        ("rows.2.capacity.min", 1, "rows[2].capacity"),
        ("rows.1.until_days", 59, "rows[1].until_days"),
        ("rows.1.below_days", float("nan"), "rows[1].below_days"),
        ("rows.1.spot", "off", "rows[1].spot"),
        ("rows.1.environment", "", "rows[1].environment"),
        ("rows.1.colour", "red", "rows[1].colour"),
        ("schema", 2, "schema"),
        ("group_name", "capstack-asg", "group_name"),
        ("floors.production", -2, "floors.production"),
        ("floors", [], "floors"),
        ("limits.feed_silence_days", 0, "limits.feed_silence_days"),
        ("limits.coverage_tolerance", float("nan"), "limits.coverage_tolerance"),
        ("on_demand_percent_with_spot", 100, "on_demand_percent_with_spot"),
        ("opt_in", None, "opt_in"),
        ("rows", {}, "rows"),
    ],
)
def test_it_refuses_a_bad_value_at_its_path(path: str, value: object, problem_path: str) -> None:
    assert problem_path in problems_of(changed(path, value))


def test_it_refuses_two_rows_for_one_threshold() -> None:
    document = deepcopy(FOUNDING_LADDER)
    document["rows"].append(document["rows"][0])
    assert "dev below 45" in problems_of(document)["rows"]


@pytest.mark.parametrize("document", [None, [], "ladder", 7, {1: 2}])
def test_it_refuses_what_is_no_document(document: object) -> None:
    assert "$" in problems_of(document)


def test_it_names_every_problem_at_once() -> None:
    document = changed("rows.0.capacity.min", -1)
    document["rows"][1]["spot"] = None
    assert {"rows[0].capacity.min", "rows[1].spot"} <= set(problems_of(document))


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_digest({"a": 1, "b": 2}) == canonical_digest({"b": 2, "a": 1})
    assert canonical_digest({"a": 1}) != canonical_digest({"a": 2})
