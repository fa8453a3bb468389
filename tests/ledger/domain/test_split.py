"""Parts that are an event together."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.money import plain
from ledger.domain.split import MAX_PARTS, CannotSplit, Part, check_parts, shares, types_of_parts


def check(*amounts: str, whole: str = "100", **changes: str) -> None:
    parts = [Part(Decimal(amount), **changes) for amount in amounts]
    check_parts(parts, amount=Decimal(whole), event_type="expense", direction="out")


def test_parts_that_add_up_to_the_cent_are_taken() -> None:
    check("99.99", "0.01")
    check("99.99", "0.01", event_type="transfer")


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        (["100"], "2 to 20 parts"),
        (["1"] * (MAX_PARTS + 1), "2 to 20 parts"),
        (["99.99", "0.02"], "add up to 100.01, the event is 100.00: 0.01 is too much"),
        (["50", "49.5"], "add up to 99.50, the event is 100.00: 0.50 is missing"),
        (["100", "0"], "above zero"),
        (["101", "-1"], "above zero"),
        (["NaN", "1"], "above zero"),
        (["99.9999999", "0.0000001"], "6 decimals"),
    ],
)
def test_what_does_not_add_up_is_refused_with_the_difference(amounts: list[str], said: str) -> None:
    with pytest.raises(CannotSplit, match=said):
        check(*amounts)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event_type": "income"}, "event_type"),
        ({"category": "x" * 256}, "category"),
        ({"counterparty": "a\0b"}, "counterparty"),
    ],
)
def test_a_part_that_cannot_be_names_its_field(changes: dict[str, str], field: str) -> None:
    with pytest.raises(CannotSplit) as refused:
        check("50", "50", **changes)
    assert (refused.value.part, refused.value.field) == (0, field)


def test_a_part_counts_as_recorded_as_its_direction_says_or_as_a_transfer() -> None:
    assert types_of_parts(event_type="transfer", direction="out") == ("transfer", "expense")
    assert types_of_parts(event_type="income", direction="in") == ("income", "transfer")
    assert types_of_parts(event_type="adjustment", direction="in") == ("adjustment", "income", "transfer")


def test_amounts_are_told_with_their_cents_and_no_more() -> None:
    assert [plain(Decimal(text)) for text in ("5.000000", "5.100000", "5.123400")] == ["5.00", "5.10", "5.1234"]


amounts = st.decimals(min_value="0.000001", max_value=10**8, places=6)


@given(
    parts=st.lists(amounts, min_size=1, max_size=20), whole=st.decimals(min_value=0, max_value=10**12, places=6)
)
def test_shares_are_the_whole_to_the_last_digit_and_none_is_below_zero(
    parts: list[Decimal], whole: Decimal
) -> None:
    divided = shares(whole, parts)
    assert sum(divided) == whole
    assert all(share >= 0 for share in divided)
    for share, part in zip(divided, parts, strict=True):
        assert abs(share - whole * part / sum(parts)) <= Decimal("0.000001")
