"""What an event may say, and what is said when it may not."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.domain.event import EventDraft, latest_occurrence, parse_event
from ledger.domain.problems import InvalidEvent
from ledger.domain.strict_json import parse_json

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
GOOD: dict[str, Any] = {"source": "bank", "event_type": "expense", "amount": "12.50", "currency": "USD"}


def problems_of(raw: Any) -> dict[str, str]:
    with pytest.raises(InvalidEvent) as refused:
        parse_event(raw, now=NOW)
    assert refused.value.errors
    return {problem.field: problem.message for problem in refused.value.errors}


def test_it_reads_the_least_that_is_needed() -> None:
    assert parse_event(GOOD, now=NOW) == EventDraft("bank", "expense", Decimal("12.50"), "USD", metadata={})


def test_it_reads_everything() -> None:
    draft = parse_event(
        {
            **GOOD,
            "occurred_at": "2026-06-01T10:00:00+02:00",
            "account": "bank-eur",
            "category": "travel",
            "counterparty": "Bahn ☕",
            "external_ref": "txn_1",
            "metadata": {"a": [1, {"b": None}]},
        },
        now=NOW,
    )
    assert draft.occurred_at == datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
    assert draft.account == "bank-eur"
    assert draft.metadata == {"a": [1, {"b": None}]}
    assert draft.flow == "out"


def test_null_is_the_same_as_absent() -> None:
    optional = ("occurred_at", "direction", "account", "category", "counterparty", "external_ref", "metadata")
    assert parse_event({**GOOD, **dict.fromkeys(optional)}, now=NOW) == parse_event(GOOD, now=NOW)


def test_it_names_every_problem_at_once() -> None:
    found = problems_of(
        {
            "source": "",
            "event_type": "refund",
            "amount": "-1",
            "currency": "usd",
            "occurred_at": "2026-06-01",
            "account": 7,
            "category": "x" * 256,
            "metadata": [],
            "colour": "red",
        }
    )
    assert set(found) == {
        "source", "event_type", "amount", "currency", "occurred_at", "account", "category", "metadata", "colour"
    }  # fmt: skip


def test_it_says_what_is_required() -> None:
    assert problems_of({}) == dict.fromkeys(("source", "event_type", "amount", "currency"), "is required")


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("source", None, "is required"),
        ("source", 5, "must be text"),
        ("source", "   ", "must not be empty"),
        ("source", "x" * 65, "at most 64 characters, has 65"),
        ("source", "a\0b", "NUL"),
        ("source", "a\ud800b", "surrogate"),
        ("event_type", ["expense"], "must be one of"),
        ("event_type", "EXPENSE", "must be one of"),
        ("currency", "usd", "in capitals: USD"),
        ("currency", "XAU", "ISO 4217"),
        ("currency", "ABC", "ISO 4217"),
        ("currency", 840, "ISO 4217"),
        ("occurred_at", "2026-06-01T10:00:00", "no time zone"),
        ("occurred_at", "2026-06-01", "date without a time"),
        ("occurred_at", "yesterday", "not an ISO 8601"),
        ("occurred_at", "2026-W23-1T10:00:00Z", "not an ISO 8601"),
        ("occurred_at", "2026-06-01x10:00:00Z", "not an ISO 8601"),
        ("occurred_at", "2026-06-31T10:00:00Z", "not an ISO 8601"),
        ("occurred_at", "2026-06-01T10:00:60Z", "not an ISO 8601"),
        ("occurred_at", 1748772000, "must be text"),
        ("occurred_at", "1998-12-31T23:59:59Z", "before 1999-01-01"),
        ("occurred_at", "0001-01-01T00:00:00+14:00", "before 1999-01-01"),
        ("occurred_at", "2027-12-16T00:00:00Z", "more than 18 months ahead"),
        ("occurred_at", "9999-12-31T23:59:59-14:00", "more than 18 months ahead"),
        ("direction", "sideways", "must be in or out"),
        ("direction", "in", "of event type expense is always out"),
        ("account", "", "must not be empty"),
        ("account", "x" * 65, "at most 64"),
        ("account", "bank\0", "NUL"),
        ("category", 1, "must be text"),
        ("counterparty", "x" * 256, "at most 255 characters, has 256"),
        ("counterparty", "\udfff", "surrogate"),
        ("external_ref", {"id": 1}, "must be text"),
        ("external_ref", "\0", "NUL"),
        ("metadata", 5, "must be an object or text"),
        ("metadata", 0, "must be an object or text"),
        ("metadata", False, "must be an object or text"),
        ("metadata", [], "must be an object or text"),
        ("metadata", {"a": "\0"}, "NUL"),
        ("metadata", {"\0": 1}, "NUL"),
        ("metadata", {"a": "\ud800"}, "surrogate"),
        ("metadata", "x" * 16_384, "larger than 16 KB"),
        ("metadata", {"a": "é" * 8_200}, "larger than 16 KB"),
        ("delivery_id", "evt_1", "is not a field"),
    ],
)
def test_it_refuses_and_names_the_field(field: str, value: Any, reason: str) -> None:
    found = problems_of({**GOOD, field: value})
    assert set(found) == {field}
    assert reason in found[field]


@pytest.mark.parametrize("raw", [None, [], "text", 5, True])
def test_it_refuses_what_is_no_object(raw: Any) -> None:
    assert problems_of(raw) == {"": "must be a JSON object"}


def test_it_refuses_an_amount_stated_twice() -> None:
    raw = parse_json('{"source": "a", "amount": "1", "amount": "2"}')
    assert problems_of(raw) == {"amount": "is stated twice"}


def test_it_refuses_a_repeated_key_in_metadata() -> None:
    raw = parse_json(
        '{"source":"a","event_type":"income","amount":"1","currency":"USD","metadata":{"a":{"b":1,"b":2}}}'
    )
    assert problems_of(raw) == {"metadata": "states the key 'b' twice"}


def test_metadata_may_be_32_levels_deep_and_no_deeper() -> None:
    def nested(levels: int) -> dict:
        value: Any = 1
        for _ in range(levels):
            value = {"a": value}
        return value

    assert parse_event({**GOOD, "metadata": nested(32)}, now=NOW).metadata
    assert "deeper than 32" in problems_of({**GOOD, "metadata": nested(33)})["metadata"]


def test_metadata_numbers_may_have_a_modest_exponent() -> None:
    good = parse_json('{"source":"a","event_type":"income","amount":"1","currency":"USD","metadata":{"a":1e3}}')
    assert parse_event(good, now=NOW)
    bad = parse_json(
        '{"source":"a","event_type":"income","amount":"1","currency":"USD","metadata":{"a":1e999999}}'
    )
    assert "exponent" in problems_of(bad)["metadata"]


@pytest.mark.parametrize("event_type", ["adjustment", "transfer"])
def test_a_type_without_direction_needs_one(event_type: str) -> None:
    raw = {**GOOD, "event_type": event_type}
    assert "is required" in problems_of(raw)["direction"]
    assert parse_event({**raw, "direction": "in"}, now=NOW).flow == "in"
    assert parse_event({**raw, "metadata": {"direction": "out"}}, now=NOW).flow == "out"
    assert parse_event({**raw, "direction": "in", "metadata": {"direction": "in"}}, now=NOW).flow == "in"
    assert "contradicts" in problems_of({**raw, "direction": "in", "metadata": {"direction": "out"}})["direction"]
    assert "in or out" in problems_of({**raw, "metadata": {"direction": "up"}})["metadata.direction"]


@pytest.mark.parametrize(("event_type", "flow"), [("expense", "out"), ("income", "in"), ("credit", "in")])
def test_the_other_types_imply_theirs(event_type: str, flow: str) -> None:
    assert parse_event({**GOOD, "event_type": event_type}, now=NOW).flow == flow
    assert parse_event({**GOOD, "event_type": event_type, "direction": flow}, now=NOW).flow == flow


@pytest.mark.parametrize(
    "text",
    ["2026-06-01T10:00:00Z", "2026-06-01 10:00:00+00:00", "2026-06-01t10:00Z", "2026-06-01T10:00:00.123456789Z"],
)
def test_it_reads_the_usual_spellings_of_an_instant(text: str) -> None:
    draft = parse_event({**GOOD, "occurred_at": text}, now=NOW)
    assert draft.occurred_at is not None
    assert draft.occurred_at.replace(microsecond=0) == datetime(2026, 6, 1, 10, 0, tzinfo=UTC)


def test_eighteen_months_ahead_end_with_a_day_that_every_month_has() -> None:
    end_of_august = datetime(2026, 8, 31, 5, 0, tzinfo=UTC)
    assert latest_occurrence(now=end_of_august) == datetime(2028, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
    assert latest_occurrence(now=NOW) == datetime(2027, 12, 15, 23, 59, 59, 999_999, tzinfo=UTC)


def test_a_currency_that_is_gone_may_be_in_the_past() -> None:
    assert (
        parse_event({**GOOD, "currency": "DEM", "occurred_at": "2001-05-01T00:00:00Z"}, now=NOW).currency == "DEM"
    )
