"""A JSON array is recorded as fast as lines are, with the verdicts of the strict reading."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.api import bulk
from ledger.api.bulk import record_array, record_values
from ledger.api.bulk_items import array_slices, array_values
from ledger.api.problems import Problem
from ledger.domain.company import CompanyRef
from ledger.domain.token import TokenIdentity
from ledger.selectors.journal import journal_position, list_events
from ledger.services import record_arrivals
from tests.ledger.api.test_bulk import MIXED, event
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db


def identity_of(company: CompanyRef) -> TokenIdentity:
    return TokenIdentity(token_id=1, name="ci", scopes=frozenset({"ingest"}), company=company)


def strictly(body: bytes, **given: Any) -> Any:
    return record_values(array_values(body), **given)


def verdict(how: Any, body: bytes, company: CompanyRef) -> tuple[Any, Any]:
    """What is answered and what is in the journal then; nothing stays."""
    with transaction.atomic():
        try:
            answer = json.loads(how(body, identity=identity_of(company), now=NOW, with_results=True).json())
        except Problem as problem:
            answer = (problem.status, problem.detail, problem.errors)
        journal = list_events(company_id=company.id, after=0, limit=100).entries
        transaction.set_rollback(True)
    return answer, journal


references = st.sampled_from(["", "1", "2", "3", "é", 'q"', "\\", "\n"])
events = st.builds(
    lambda reference, changes: {**event(reference), **changes},
    references,
    st.fixed_dictionaries(
        {},
        optional={
            "amount": st.sampled_from(["4.50", 4.5, 4, "0", "1e3", "9", None, True, "12.1234567"]),
            "currency": st.sampled_from(["USD", "EUR", "usd", "XXX"]),
            "event_type": st.sampled_from(["expense", "income", "transfer", "x"]),
            "direction": st.sampled_from(["in", "out", None]),
            "account": st.sampled_from(["bank", "nobody", "", None]),
            "occurred_at": st.sampled_from(
                ["2026-06-01T10:00:00Z", "2026-06-01T12:00:00+02:00", "2026-06-01", "2026-06-01T10:00:00", None]
            ),
            "metadata": st.sampled_from([{}, {"a": [1, "x,]"]}, "text", None, 3]),
            "unknown": st.just(1),
        },
    ),
)
odd_items = st.sampled_from(
    [
        '"text"', "null", "[]", "1", "1.50", "-0", "01", "1e5", "NaN", "Infinity", "tru", "", "{", "}", '{"a":1,}',
        '{"source":"a","source":"b"}', '"\\ud800"', '"\\x"', '"a\tb"', "[1,[2,{}]]", "[" * 40 + "]" * 40, '"a,]"',
        "9" * 401,
    ]
)  # fmt: skip
items = st.one_of(events.map(json.dumps), events.map(lambda e: json.dumps(e, ensure_ascii=False)), odd_items)
spaces = st.sampled_from(["", "", " ", "\n", "\t", "\r\n", "\x0b", "\xa0"])


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    texts = [draw(spaces) + text + draw(spaces) for text in draw(st.lists(items, max_size=5))]
    body = (draw(spaces) + "[" + ",".join(texts) + "]" + draw(spaces)).encode("utf-8")
    start = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf", b" ", b"\xff"]))
    cut = draw(st.sampled_from([0, 0, 0, 0, 1, 2]))
    return start + body[: len(body) - cut] + draw(st.sampled_from([b"", b"", b"", b"]", b"x", b",", b"\0"]))


@given(body=bodies())
@example(body=json.dumps(MIXED).encode())
@example(body=b"[]")
@example(body=b"{}")
@example(body=b'["\xff"]')
@example(body=b"[" * 100_000)
@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_array_gets_the_verdicts_of_the_strict_reading(body: bytes, company: CompanyRef) -> None:
    assert verdict(record_array, body, company) == verdict(strictly, body, company)


def test_plain_items_never_take_the_strict_way(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the strict way was taken")

    monkeypatch.setattr(bulk, "record_values", refuse)
    monkeypatch.setattr(record_arrivals, "record", refuse)
    body = json.dumps([event(f"{number}") for number in range(30)], indent=1).encode()
    for expected in ("recorded", "duplicates", "duplicates"):
        report = record_array(body, identity=identity_of(company), now=NOW, with_results=False)
        assert json.loads(report.json())[expected] == 30
    assert journal_position(company_id=company.id) == 30


def test_nothing_is_recorded_of_an_array_that_breaks_at_its_end(company: CompanyRef) -> None:
    body = json.dumps([event("1"), event("2")]).encode()
    with pytest.raises(Problem) as refusal:
        record_array(body[:-2] + b'x"]', identity=identity_of(company), now=NOW, with_results=False)
    assert refusal.value.status == 400
    assert journal_position(company_id=company.id) == 0


def test_slices_are_the_items_as_they_stand() -> None:
    assert array_slices(b' [ {"a": "],["} ,1.50, "\xc3\xa9" ]\n') == [b'{"a": "],["}', b"1.50", b'"\xc3\xa9"']
    assert array_slices(b'{"a": 1}') is None


def test_an_array_may_be_longer_than_a_transaction(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ITEMS_PER_TRANSACTION", 4)
    body = json.dumps([event(f"{number // 2}") for number in range(21)]).encode()
    report = record_array(body, identity=identity_of(company), now=NOW + timedelta(seconds=1), with_results=True)
    answer = json.loads(report.json())
    assert (answer["read"], answer["recorded"], answer["duplicates"]) == (21, 11, 10)
    assert [result["index"] for result in answer["results"]] == list(range(21))
