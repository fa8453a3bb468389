"""Policies as text: YAML and JSON say the same, and what is no policy is refused at its line."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.policy_text import MAX_BYTES, Lines, read_json, read_yaml, write_yaml

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), max_size=12)
# Texts that one YAML or another would read as something else.
ODD = st.sampled_from(
    ["no", "on", "~", "null", "true", "22:00", "2026-12-24", "1e5", "010", "0x1f", "1_000", ".5", "=", "<<", "- a",
     "a: b", "#x", "'", "%", "@", "*x", "&x", "!t", "{", "[", "?", " "]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(0, 1) | PRINTABLE | ODD
CONTENT = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PRINTABLE | ODD, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def problems_of(text: str, read: Any = read_yaml) -> list[tuple[str, str]]:
    with pytest.raises(InvalidPolicy) as refused:
        read(text)
    return [(each.path, each.message) for each in refused.value.problems]


def test_the_founding_ladder_comes_back_as_it_was() -> None:
    text = write_yaml(FOUNDING_LADDER)
    assert read_yaml(text) == FOUNDING_LADDER
    assert list(read_yaml(text))[:3] == ["schema", "name", "group_name"]


@settings(max_examples=100)
@given(st.dictionaries(PRINTABLE | ODD, CONTENT, max_size=4))
def test_any_document_comes_back_as_it_was(document: dict[str, Any]) -> None:
    assert read_yaml(write_yaml(document)) == document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 22:00", "22:00"),
        ("a: no", "no"),
        ("a: 2026-12-24", "2026-12-24"),
        ("a: 010", "010"),
        ("a: true", True),
        ("a:", None),
        ("a: -3", -3),
        ("a: 0.05", 0.05),
        ('{"a": [1, "x"]}', [1, "x"]),
    ],
)
def test_a_value_is_what_it_looks_like(text: str, value: object) -> None:
    assert read_yaml(text) == {"a": value}


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("a: 1\nb: &x [1]\nc: *x", "line 3", "alias"),
        ("a: 1\na: 2", "line 2", "repeats the key a"),
        ("a: !!python/object/apply:os.system [ls]", "line 1", "tag"),
        ("a: !!float nan", "line 1", "tag"),
        ("a: [1", "line 1", "not YAML"),
        ("a: 1\n---\nb: 2", "line 2", "not YAML"),
        ("? [1]\n: 2", "line 1", "key that is no text"),
        ("", "text", "empty"),
        ("a: \0", "text", "not YAML"),
        ("a: " + "9" * 50, "line 1", "digits"),
        ("a: " + "[" * 50 + "]" * 50, "line 1", "nested"),
        ("x" * (MAX_BYTES + 1), "text", "longer"),
    ],
)
def test_what_means_more_than_it_says_is_refused_at_its_line(text: str, path: str, message: str) -> None:
    ((found, why),) = problems_of(text)
    assert found == path
    assert message in why


def test_a_bomb_of_aliases_or_brackets_costs_no_time() -> None:
    started = time.perf_counter()
    nested = "a: &a [x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    for text in (nested, "[" * MAX_BYTES, "{a: " * (MAX_BYTES // 4)):
        problems_of(text)
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ('{"a": 1, "a": 2}', "repeats the key a"),
        ('{"a": NaN}', "JSON does not know"),
        ('{"a": ' + "9" * 5000 + "}", "digits"),
        ("[" * 100_000, "nested"),
    ],
)
def test_json_that_means_nothing_certain_is_refused(text: str, message: str) -> None:
    assert message in problems_of(text, read_json)[0][1]


def test_a_path_leads_to_its_line() -> None:
    text = write_yaml(FOUNDING_LADDER)
    lines, rows = Lines(text), text.splitlines()
    assert rows[lines.line_of("rows[1].capacity.desired") - 1].strip() == "desired: 2"  # type: ignore[operator]
    assert rows[lines.line_of("floors.production") - 1].strip() == "production: 2"  # type: ignore[operator]
    # What is missing stands where it should: at what is round it.
    assert rows[lines.line_of("limits.nothing") - 1] == "limits:"  # type: ignore[operator]
    assert lines.line_of("because") is None
    assert Lines("a: [").line_of("a") is None
