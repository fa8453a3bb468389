"""The tight pass over plain lines says what the strict way says, byte for byte, or nothing."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.domain.event import parse_event
from ledger.domain.plain_line import read_plain
from ledger.domain.problems import InvalidEvent
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.selectors.books import Books
from ledger.services.arrivals import Arrivals, LineReader
from ledger.services.journal_rows import Unrecordable, copy_line, journal_row
from tests.ledger.conftest import NOW

BOOKS = Books("USD", "UTC", {"bank": 7, "card é": 8}, "bank", 1)
COMPANY = 3
PLAIN = {
    "source": "card",
    "event_type": "expense",
    "amount": "4.50",
    "currency": "USD",
    "occurred_at": "2026-06-01T10:00:00Z",
}


def read(line: bytes) -> Arrivals:
    reader = LineReader(company_id=COMPANY, books=BOOKS, now=NOW)
    return reader.read([(5, line)], too_long="is too long")


def strictly(line: bytes) -> tuple[list[str], list[tuple]]:
    """COPY line and refusals as the slow, obvious way gives them."""
    try:
        draft = parse_event(parse_json(line), now=NOW)
        return [copy_line(journal_row(draft, ordinal=0, company_id=COMPANY, books=BOOKS, now=NOW))], []
    except InvalidJson as error:
        return [], [(5, "", f"is not JSON: {error}")]
    except InvalidEvent as error:
        return [], [(5, problem.field, problem.message) for problem in error.errors]
    except Unrecordable as error:
        return [], [(5, problem.field, problem.message) for problem in error.problems]


def refusals(arrivals: Arrivals) -> list[tuple]:
    return [(index, p.field, p.message) for index, problems in arrivals.rejected for p in problems]


def same(line: bytes) -> None:
    arrivals, (copied, rejected) = read(line), strictly(line)
    assert (arrivals.copied, refusals(arrivals)) == (copied, rejected)
    assert (arrivals.places, arrivals.lines) == (([5], [line]) if copied else ([], []))
    assert [f"\\\\x{event_id}" for event_id in arrivals.event_ids] == [text.split("\t")[1] for text in copied]
    assert len(arrivals.months) == len(copied)


def is_plain(line: bytes) -> bool:
    """Whether the tight pass takes it."""
    reader = LineReader(company_id=COMPANY, books=BOOKS, now=NOW)
    plain = read_plain(line)
    return plain is not None and reader._plain_row(plain, 0, set()) is not None


texts = st.one_of(
    st.text(max_size=12),
    st.text(alphabet='aé☕\u0085\x7f\t\n\\"\0 ', max_size=6),
    st.sampled_from(["", " ", "x" * 64, "x" * 65, "é" * 255, "x" * 256, "card é", "bank"]),
)
amounts = st.one_of(
    st.decimals(min_value=0, max_value=10**15, places=2).map(str),
    st.from_regex(r"[0-9]{1,15}(\.[0-9]{1,7})?", fullmatch=True),
    st.sampled_from(
        ["0", "0.0", "0.000000", "007.50", "-1", "1e3", "1.", ".5", "NaN", "+1", "1_0", "１", "", " 1"]
    ),
    st.integers(min_value=-5, max_value=10**15),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: abs(value) < 1e15),
    st.none() | st.booleans() | st.just([]) | st.just({}) | st.just(["1"]),
)
instants = st.one_of(
    st.datetimes().map(lambda value: value.isoformat()),
    st.datetimes(timezones=st.timezones()).map(lambda value: value.isoformat()),
    st.integers(min_value=-(10**6), max_value=10**6).map(
        lambda minutes: (NOW + timedelta(minutes=minutes, microseconds=minutes)).isoformat()
    ),
    st.sampled_from(
        [
            "2026-06-01",
            "2026-06-01T10:00Z",
            "2026-06-01 10:00:00z",
            "2026-06-01T10:00:00,5+00:00",
            "20260601T100000Z",
            "2026-W23-1T10:00:00Z",
            "2026-06-01T24:00:00Z",
            "2026-06-01T10:00:00-00:00",
            "2026-06-01T10:00:00+05:30:15.5",
            "1998-12-31T23:59:59Z",
            "1999-01-01T00:00:00+00:01",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "２026-06-01T10:00:00Z",
        ]
    ),
    texts,
    st.none() | st.integers(),
)
members = st.fixed_dictionaries(
    {
        "source": st.just("card") | texts | st.none(),
        "event_type": st.sampled_from(["expense", "income", "credit", "adjustment", "transfer", "refund"]) | texts,
        "amount": amounts,
        "currency": st.sampled_from(["USD", "EUR", "IDR", "XOF", "usd", "DEM"]) | texts,
    },
    optional={
        "occurred_at": instants,
        "direction": st.sampled_from(["in", "out"]) | texts | st.none(),
        "account": st.sampled_from(["bank", "card é", "nowhere"]) | texts | st.none(),
        "category": texts | st.none() | st.integers(),
        "counterparty": texts | st.none(),
        "external_ref": texts | st.none(),
        "metadata": texts | st.none() | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
        "colour": texts,
    },
)


@settings(max_examples=600, deadline=None)
@given(members, st.booleans(), st.sampled_from([None, (", ", ": "), (",", ":")]))
@example({**PLAIN, "external_ref": None, "category": ""}, False, None)
@example({**PLAIN, "event_type": "transfer", "direction": "in", "account": "card é"}, False, None)
def test_an_event_is_read_as_the_strict_way_reads_it(raw: dict, ascii_only: bool, separators: Any) -> None:
    text = json.dumps(raw, ensure_ascii=ascii_only, separators=separators)
    same(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=3), st.integers(min_value=0, max_value=150), st.integers(min_value=0, max_value=4))
def test_a_damaged_line_is_read_as_the_strict_way_reads_it(bits: bytes, place: int, cut: int) -> None:
    line = json.dumps({**PLAIN, "counterparty": "Café"}, ensure_ascii=False).encode()
    same(line[:place] + bits + line[place + cut :])


@pytest.mark.parametrize("name", [*PLAIN, "category"])
@pytest.mark.parametrize("again", ['"USD"', "null", "7", "[]", '{"amount":"1"}', '""'])
@pytest.mark.parametrize("first", [True, False])
def test_a_member_stated_twice_is_never_read_fast(name: str, again: str, first: bool) -> None:
    body = json.dumps(PLAIN | {"category": "x"})[1:-1]
    more = f'"{name}": {again}'
    line = f"{{{more}, {body}}}" if first else f"{{{body}, {more}}}"
    assert read_plain(line.encode()) is None
    same(line.encode())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"amount": 4.5},
        {"amount": 12},
        {"currency": "EUR"},
        {"counterparty": "Café ☕", "source": "é", "external_ref": "é1"},
        {"occurred_at": "2026-06-01T10:00:00.25-04:00"},
        {"event_type": "transfer", "direction": "out"},
        {"category": None, "account": None},
        {"account": "card é", "category": ""},
    ],
)
def test_what_is_common_is_read_fast(changes: dict) -> None:
    line = json.dumps(PLAIN | changes, ensure_ascii=False).encode()
    assert is_plain(line)
    same(line)


def test_lines_are_numbered_without_those_that_are_refused() -> None:
    reader = LineReader(company_id=COMPANY, books=BOOKS, now=NOW)
    good, odd = json.dumps(PLAIN).encode(), json.dumps(PLAIN | {"metadata": {"a": 1}}).encode()
    arrivals = reader.read([(0, good), (1, b"{"), (3, odd), (4, None), (6, b"7"), (9, good)], too_long="too long")
    assert [text.split("\t")[0] for text in arrivals.copied] == ["0", "1", "2"]
    assert (arrivals.places, arrivals.parseable) == ([0, 3, 9], 4)
    assert [index for index, _ in arrivals.rejected] == [1, 4, 6]


def test_a_stream_that_names_a_new_source_each_time_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.services.arrivals.MAX_KINDS", 10)
    reader = LineReader(company_id=COMPANY, books=BOOKS, now=NOW)
    lines = [(n, json.dumps(PLAIN | {"source": f"s{n}"}).encode()) for n in range(50)]
    assert len(reader.read(lines, too_long="").copied) == 50
    assert len(reader._kinds) <= 10
