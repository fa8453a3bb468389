"""Telling what only moved between own accounts from what became another currency."""

from datetime import date, timedelta
from decimal import Decimal

from ledger.domain.own_transfers import TransferLeg, conversions


def leg(number: int, account: int, amount: int, currency: str = "EUR") -> TransferLeg:
    return TransferLeg(date(2026, 1, 1) + timedelta(days=number), account, currency, Decimal(amount))


def test_two_legs_between_accounts_are_no_conversion() -> None:
    assert conversions([leg(0, 1, -100), leg(2, 2, 100)]) == []
    assert conversions([leg(2, 2, 100), leg(0, 1, -100)]) == []


def test_a_leg_without_a_counterpart_is_one() -> None:
    assert conversions([leg(0, 1, -100), leg(2, 2, 110)]) == [0, 1]
    assert conversions([leg(0, 1, -100), leg(2, 2, 100, "USD")]) == [0, 1]
    assert conversions([leg(0, 1, -100), leg(2, 1, 100)]) == [0, 1]
    assert conversions([leg(0, 1, -100), leg(8, 2, 100)]) == [0, 1]


def test_each_leg_has_one_counterpart_and_the_nearest() -> None:
    assert conversions([leg(0, 1, -100), leg(5, 1, -100), leg(6, 2, 100)]) == [0]
