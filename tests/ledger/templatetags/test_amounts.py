"""Numbers look the same on every page, and say no more than they know."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ledger.templatetags.amounts import (
    day_date,
    days,
    exact_text,
    instant,
    money,
    money_closely,
    money_text,
    odds,
    signed_money,
)

N, B = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0"),
        ("0.4", "$0"),
        ("-0.4", "$0"),
        ("7", "$7"),
        ("950.49", "$950"),
        ("999.6", f"$1.0{N}k"),
        ("1000", f"$1.0{N}k"),
        ("9843", f"$9.8{N}k"),
        ("9951", f"$10{N}k"),
        ("98432", f"$98{N}k"),
        ("520000", f"$520{N}k"),
        ("999600", f"$1.0{N}M"),
        ("2412345.10", f"$2.4{N}M"),
        ("24123451", f"$24{N}M"),
        ("1999999999", f"$2.0{N}bn"),
        ("99999999999999.999999", f"$100,000{N}bn"),
        ("-121345", f"\N{MINUS SIGN}$121{N}k"),
    ],
)
def test_money_is_compact_and_never_finer_than_two_digits(amount, text):
    assert money_text(Decimal(amount), "USD") == text


def test_neighbours_that_would_read_alike_are_told_closely():
    assert money_text(Decimal(1463400), "USD", closely=True) == f"$1.463{N}M"
    assert money_text(Decimal(1545900), "USD", closely=True) == f"$1.546{N}M"
    assert money_text(Decimal(923456), "USD", closely=True) == f"$923{N}k"
    assert 'title="1,463,400.00' in money_closely(Decimal(1463400), "USD")


def test_money_in_carries_a_plus_where_signs_matter():
    assert money_text(31_000, "EUR", signed=True) == f"+€31{N}k"
    assert money_text(-31_000, "EUR", signed=True) == f"\N{MINUS SIGN}€31{N}k"
    assert money_text(0, "EUR", signed=True) == "€0"


def test_a_currency_without_a_sign_of_its_own_is_named():
    assert money_text(2_400_000, "CHF") == f"CHF{N}2.4{N}M"


def test_the_exact_amount_is_in_the_markup():
    markup = money(Decimal("-2412345.105"), "USD")
    assert 'value="-2412345.105"' in markup
    assert exact_text(Decimal("-2412345.105"), "USD") in markup
    assert exact_text(Decimal("-2412345.105"), "USD") == f"\N{MINUS SIGN}2,412,345.10{N}USD"


def test_a_missing_amount_stays_empty():
    assert money(None, "USD") == ""
    assert signed_money(None, "USD") == ""


def test_a_currency_cannot_bring_markup_with_it():
    assert "<b>" not in money(5, "<b>")


def test_one_day_is_not_days():
    assert [days(0), days(1), days(62)] == ["0 days", "1 day", "62 days"]


def test_a_date_of_this_year_or_soon_after_needs_no_year():
    assert day_date(date(2027, 1, 24), date(2027, 12, 1)) == f"24{B}Jan"
    assert day_date(date(2027, 1, 24), date(2026, 12, 1)) == f"24{B}Jan"
    assert day_date(date(2027, 11, 24), date(2026, 12, 1)) == f"24{B}Nov{B}2027"
    assert day_date(date(2025, 12, 24), date(2026, 1, 2)) == f"24{B}Dec{B}2025"
    assert day_date(date(2027, 1, 24)) == f"24{B}Jan{B}2027"


def test_an_instant_names_its_zone():
    assert instant(datetime(2026, 11, 23, 9, 14, tzinfo=UTC)) == f"23{B}Nov{B}2026, 09:14 UTC"


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, f">{N}99{N}%"), (0.996, f">{N}99{N}%"), (0.99, f"99{N}%"), (0.724, f"72{N}%"), (0.0, f"<{N}1{N}%")],
)
def test_odds_neither_promise_nor_exclude(share, text):
    assert odds(share) == text
