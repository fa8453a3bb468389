"""Reading plan.json without loss."""

import pytest

from forecasting.fit.plan import InvalidPlan
from forecasting.services.plan_text import digest_of, read_plan_text


def refused(text: str | bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidPlan) as refusal:
        read_plan_text(text)
    return [(problem.path, problem.message) for problem in refusal.value.problems]


def test_numbers_keep_the_text_a_person_wrote() -> None:
    document = read_plan_text('{"fx": {"EUR": 1.05261, "GBP": 1.22257123456789012345}}')
    assert document == {"fx": {"EUR": 1.05261, "GBP": "1.22257123456789012345"}}


def test_the_digest_ignores_order_and_layout() -> None:
    one = read_plan_text('{"a": 1, "b": {"c": "2", "d": 3}}')
    other = read_plan_text('{ "b": {"d": 3, "c": "2"},\n "a": 1 }')
    assert digest_of(one) == digest_of(other)
    assert digest_of(one) != digest_of({"a": 1})


def test_it_refuses_what_is_not_json_and_says_where() -> None:
    assert refused('{"as_of": }') == [("$", "is not JSON: Expecting value at line 1, column 11")]


def test_it_refuses_bytes_that_are_not_utf_8() -> None:
    assert refused(b'{"as_of": "\xff"}')[0][0] == "$"


def test_it_refuses_one_key_twice() -> None:
    assert refused('{"tranches": [{"amount": "1", "amount": "2"}]}') == [
        ("tranches[0]", 'has the key "amount" twice')
    ]


def test_it_refuses_exponents_and_nan() -> None:
    assert refused('{"fx": {"EUR": 1e0}}') == [("fx.EUR", "must be written without an exponent, not 1e0")]
    assert "NaN" in refused('{"fx": {"EUR": NaN}}')[0][1]


def test_it_refuses_text_that_a_database_cannot_keep() -> None:
    assert refused('{"company": "a\\u0000b"}')[0][0] == "company"
    assert refused('{"company": "\\ud800"}')[0][0] == "company"
