"""What is hashed of a row, by vectors that were written down once, and how hashes are linked."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.chain import COLUMNS, chained, genesis, moved_digest, row_bytes, row_digest

COFFEE: list[str | None] = [
    "7",
    "1",
    "3",
    "2026-03-01T09:30:00.000000Z",
    "2026-03-01T09:30:01.000002Z",
    "2026-03-01T00:00:00.000000Z",
    "0",
    "ab" * 32,
    "card",
    "expense",
    "out",
    "12.500000",
    "EUR",
    "13.750000",
    "1.100000000000",
    "ecb",
    "saas",
    "Café",
    "ch_1",
    '{"a": 1}',
    None,
    "token:feed",
    "",
]
texts = st.lists(st.none() | st.text(max_size=6), min_size=len(COLUMNS), max_size=len(COLUMNS))


def test_the_bytes_of_a_row_are_those_of_the_documentation() -> None:
    assert row_bytes(COFFEE) == (
        b"capstack.row.1\n1:71:11:327:2026-03-01T09:30:00.000000Z27:2026-03-01T09:30:01.000002Z"
        b"27:2026-03-01T00:00:00.000000Z1:064:" + b"ab" * 32 + b"4:card7:expense3:out9:12.5000003:EUR9:13.750000"
        b'14:1.1000000000003:ecb4:saas5:Caf\xc3\xa94:ch_18:{"a": 1}-10:token:feed0:'
    )
    assert row_digest(COFFEE).hex() == "38b0f33afc0cbfa3a4912f61ef68c6f7e66674a486c821d6baedcfb87c7f9b51"


def test_the_chain_begins_with_the_company_and_goes_on_with_each_digest() -> None:
    digest = row_digest(COFFEE)
    begin = genesis(company_id=7)
    assert begin.hex() == "4fc61fa9d735dfb581864bd619eb5226e9924305258553e4e8d1b7b7c701a80e"
    assert begin == sha256(b"capstack.chain.1\n7").digest()
    twice = chained(begin, digest + digest)
    assert twice.hex() == "1ae4df10f6e7fe0274ca26e1956f26ce5270caa54df0ec0c2f53bb5065191f81"
    assert twice == sha256(sha256(begin + digest).digest() + digest).digest()


def test_it_refuses_a_row_with_a_column_too_many() -> None:
    with pytest.raises(ValueError, match="23 columns, not 24"):
        row_bytes([*COFFEE, "more"])


@given(texts, texts)
def test_two_different_rows_have_different_bytes(one: list[str | None], other: list[str | None]) -> None:
    assert (row_bytes(one) == row_bytes(other)) == (one == other)


def test_an_absent_value_is_not_an_empty_one() -> None:
    reverses = COLUMNS.index("reverses")
    emptied = [*COFFEE[:reverses], "", *COFFEE[reverses + 1 :]]
    assert row_bytes(emptied) != row_bytes(COFFEE)


def test_a_moved_row_has_the_digest_it_would_have_there() -> None:
    assert moved_digest(COFFEE, position=2) == row_digest(["7", "2", *COFFEE[2:]])
    assert moved_digest(COFFEE, position=1) == row_digest(COFFEE)
