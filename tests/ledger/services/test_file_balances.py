"""What a preview would move: kept in a few bytes, and given back to the microsecond and the last digit."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.services.file_balances import _Moves

INSTANTS = st.datetimes(datetime(1999, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
AMOUNTS = st.decimals("-99999999999999.999999", "99999999999999.999999", places=6)


@given(moves=st.lists(st.tuples(INSTANTS, AMOUNTS), max_size=5))
def test_moves_come_back_exactly_and_in_order(moves: list[tuple[datetime, Decimal]]) -> None:
    kept = _Moves()
    for at, amount in moves:
        kept.add(at, amount)

    assert list(kept) == moves
