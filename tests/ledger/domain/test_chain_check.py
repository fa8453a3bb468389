"""Any single tampering with any journal is found, and the first row that it touched is named."""

from collections.abc import Sequence

from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.domain.chain import COLUMNS, POSITION, chained, genesis, row_digest
from ledger.domain.chain_check import Break, Span, check_chain

COMPANY = 7
REASON = COLUMNS.index("reason")
Row = list[str | None]


def row(position: int, what: str) -> Row:
    values: Row = [f"{name} {what}" for name in COLUMNS]
    values[POSITION] = str(position)
    values[COLUMNS.index("reverses")] = None
    return values


def journal(length: int) -> list[Row]:
    return [row(position, f"event {position}") for position in range(1, length + 1)]


def at_positions(rows: Sequence[Row]) -> list[Row]:
    """The rows in this order, numbered anew: what somebody does who hides a gap."""
    return [[*values[:POSITION], str(number), *values[POSITION + 1 :]] for number, values in enumerate(rows, 1)]


def spans(rows: Sequence[Row], *, size: int, width: int = 32) -> list[Span]:
    head = genesis(company_id=COMPANY)
    made = []
    for start in range(0, len(rows), size):
        digests = [row_digest(values) for values in rows[start : start + size]]
        head = chained(head, b"".join(digests))
        known = b"".join(digest[:width] for digest in digests)
        made.append(Span(start + 1, start + len(digests), known, head))
    return made


def broken(
    rows: Sequence[Row],
    *,
    seals: Sequence[Span] = (),
    exported: Sequence[Span] = (),
    position: int | None = None,
) -> Break | None:
    head = len(rows) if position is None else position
    return check_chain(company_id=COMPANY, position=head, rows=rows, seals=seals, exported=exported).broken


lengths = st.integers(min_value=1, max_value=12)
sizes = st.integers(min_value=1, max_value=5)


@given(lengths, sizes, st.integers(min_value=0, max_value=12))
def test_an_untouched_journal_holds_with_or_without_an_unsealed_tail(
    length: int, size: int, unsealed: int
) -> None:
    rows = journal(length)
    sealed = rows[: max(0, length - unsealed)]
    exported = spans(sealed, size=size * 2, width=8)
    verdict = check_chain(
        company_id=COMPANY, position=length, rows=rows, seals=spans(sealed, size=size), exported=exported
    )
    assert verdict.broken is None
    assert (verdict.rows, verdict.sealed, verdict.exported) == (length, len(sealed), len(sealed))


def tampered(data: st.DataObject, true: list[Row]) -> tuple[list[Row], int, str]:
    """Somebody's journal, the first position that is not true, and what was done there."""
    length = len(true)
    at = data.draw(st.integers(min_value=0, max_value=length - 1))
    kind = data.draw(
        st.sampled_from(["edited", "removed", "removed, renumbered", "inserted", "twice", "swapped", "cut"])
    )
    rows = [list(values) for values in true]
    if kind == "edited":
        column = data.draw(st.sampled_from([i for i in range(len(COLUMNS)) if i != POSITION]))
        rows[at][column] = data.draw(st.sampled_from(["", "another"]))
        assume(rows[at] != true[at])
        return rows, at + 1, "edited"
    if kind == "removed":
        assume(at < length - 1)
        return rows[:at] + rows[at + 1 :], at + 1, "removed"
    if kind == "removed, renumbered":
        assume(at < length - 1)
        return at_positions(rows[:at] + rows[at + 1 :]), at + 1, "removed"
    if kind == "inserted":
        return at_positions([*rows[:at], row(0, "a false event"), *rows[at:]]), at + 1, "inserted"
    if kind == "twice":
        false = row(at + 1, "a false event")
        before = data.draw(st.booleans())
        return (
            [*rows[:at], *([false, rows[at]] if before else [rows[at], false]), *rows[at + 1 :]],
            at + 1,
            "inserted",
        )
    if kind == "swapped":
        other = data.draw(st.integers(min_value=0, max_value=length - 1))
        assume(other != at)
        rows[at], rows[other] = rows[other], rows[at]
        return at_positions(rows), min(at, other) + 1, "swapped"
    return rows[:at], at + 1, "cut off"


@given(st.data(), lengths, sizes)
def test_whatever_is_done_to_the_rows_the_first_of_them_is_named(
    data: st.DataObject, length: int, size: int
) -> None:
    true = journal(length)
    rows, position, kind = tampered(data, true)
    found = broken(rows, seals=spans(true, size=size), position=data.draw(st.sampled_from([len(true), len(rows)])))
    assert found is not None
    assert (found.position, found.kind) == (position, kind)


@given(st.data(), lengths, sizes)
def test_a_chain_rewritten_as_a_whole_is_found_by_what_was_exported(
    data: st.DataObject, length: int, size: int
) -> None:
    true = journal(length)
    rows, position, kind = tampered(data, true)
    # The tamperer numbers and seals everything anew; only what lies outside of his reach is left.
    rows = at_positions(rows)
    # What was put behind all that is known is a row like any other.
    assume(rows[:length] != true)
    exported = spans(true, size=size, width=8)
    assert broken(rows, seals=spans(rows, size=3)) is None
    for seals in (spans(rows, size=3), []):
        found = broken(rows, seals=seals, exported=exported)
        assert found is not None
        assert found.position == position or (kind == "inserted" and found.position == position + 1)
        assert found.kind in {kind, "edited", "inserted", "removed", "swapped"} or kind == "cut off"


@given(lengths, sizes, st.data())
def test_a_seal_that_was_exchanged_or_taken_out_is_found(length: int, size: int, data: st.DataObject) -> None:
    rows = journal(length)
    seals = spans(rows, size=size)
    at = data.draw(st.integers(min_value=0, max_value=len(seals) - 1))
    false = Span(seals[at].first, seals[at].last, seals[at].digests, bytes(32))
    found = broken(rows, seals=[*seals[:at], false, *seals[at + 1 :]])
    assert found is not None
    assert (found.kind, found.position) == ("seal", false.first)
    assume(at < len(seals) - 1)
    found = broken(rows, seals=seals[:at] + seals[at + 1 :])
    assert found is not None
    assert (found.kind, found.position) == ("seal", false.first)


def test_seals_that_end_before_what_was_exported_are_found() -> None:
    rows = journal(4)
    found = broken(rows, seals=spans(rows, size=2)[:1], exported=spans(rows, size=2, width=8))
    assert found is not None
    assert (found.kind, found.position) == ("seal", 3)


def test_rows_beyond_the_head_row_are_found() -> None:
    rows = journal(3)
    found = broken(rows, seals=spans(rows[:2], size=2), position=2)
    assert found is not None
    assert (found.kind, found.position) == ("inserted", 3)
