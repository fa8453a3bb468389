"""What a matched transfer does to the pools of foreign money."""

from datetime import date
from decimal import Decimal

from ledger.domain.fx_gains import ForeignMove, Pool, follow
from ledger.domain.own_transfers import OwnTransfer, Side, foreign_moves

LEFT, ARRIVED = date(2026, 1, 5), date(2026, 1, 7)


def moves(out: tuple[str, int, int], into: tuple[str, int, int]) -> tuple[ForeignMove, ...]:
    sides = [
        Side(day, currency, Decimal(amount), Decimal(base))
        for day, (currency, amount, base) in ((LEFT, out), (ARRIVED, into))
    ]
    return foreign_moves(OwnTransfer(*sides), base_currency="USD")


def test_money_that_stays_what_it_is_moves_nothing() -> None:
    assert moves(("EUR", 100, 110), ("EUR", 100, 112)) == ()
    assert moves(("USD", 100, 100), ("USD", 99, 99)) == ()


def test_what_was_lost_on_the_way_leaves_at_the_rate_of_the_day_it_left() -> None:
    assert moves(("EUR", 100, 110), ("EUR", 98, 109)) == (
        ForeignMove(ARRIVED, "EUR", Decimal(-2), Decimal("-2.2")),
    )


def test_a_conversion_is_worth_what_was_received_or_paid_in_own_money() -> None:
    assert moves(("EUR", 100, 110), ("USD", 108, 108)) == (ForeignMove(LEFT, "EUR", Decimal(-100), Decimal(-108)),)
    assert moves(("USD", 110, 110), ("EUR", 98, 107)) == (ForeignMove(ARRIVED, "EUR", Decimal(98), Decimal(110)),)


def test_a_conversion_into_a_third_currency_is_worth_what_arrived() -> None:
    found = moves(("EUR", 100, 110), ("GBP", 85, 108))
    assert found == (
        ForeignMove(LEFT, "EUR", Decimal(-100), Decimal(-108)),
        ForeignMove(ARRIVED, "GBP", Decimal(85), Decimal(108)),
    )
    # Euros that cost 105: three are gained, and what the bank kept is in neither pool.
    held = follow(found, opening={"EUR": Pool(Decimal(100), Decimal(105))})
    assert held.pools == {"EUR": Pool(), "GBP": Pool(Decimal(85), Decimal(108))}
    assert [gain.gain for gain in held.realised] == [3]
