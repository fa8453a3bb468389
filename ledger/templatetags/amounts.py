"""How numbers look on every page: one place for money, days, dates and odds.

Compact money carries no more precision than it has, its exact value stands in the markup. The typographic minus, a
narrow no-break space before units and a sign that comes before the currency are the same everywhere.
"""

from bisect import bisect_right
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

MINUS = "\N{MINUS SIGN}"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "CAD": "CA$", "AUD": "A$", "NZD": "NZ$"}
UNITS = ((Decimal(1), ""), (Decimal(1_000), "k"), (Decimal(1_000_000), "M"), (Decimal(1_000_000_000), "bn"))
SIZES = tuple(size for size, _ in UNITS)
TENTHS, THOUSANDTHS, ROUNDED_TO_TENTHS = Decimal("0.1"), Decimal("0.001"), Decimal("9.95")
# Ten months: "24 Jan" said in November is the next one, said of a day a year ahead it could be either.
UNAMBIGUOUS_DAYS = 300
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Amount = Decimal | int | float | str


def _decimal(amount: Amount) -> Decimal:
    """Floats go through their shortest text, so that 0.1 stays 0.1."""
    return amount if isinstance(amount, Decimal) else Decimal(str(amount))


def _with_currency(digits: str, currency: str) -> str:
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{digits}" if symbol else f"{currency}{NARROW_SPACE}{digits}"


def _compact(magnitude: Decimal, *, closely: bool = False) -> str:
    """Two significant digits, or every digit before the point when there are more: 9.8 k, 98 k, 981 k, 1.0 M.

    Closely: millions and more to the thousandth, 1.463 M, where neighbours would read alike.
    """
    index = bisect_right(SIZES, magnitude, lo=1) - 1
    while True:
        size, unit = UNITS[index]
        scaled = magnitude / size
        places = TENTHS if unit and scaled < ROUNDED_TO_TENTHS else SIZES[0]
        if closely and index > 1:
            places = THOUSANDTHS
        rounded = scaled.quantize(places, rounding=ROUND_HALF_EVEN)
        # 999,600 rounds to 1000 k, which is 1.0 M.
        if rounded >= 1000 and index + 1 < len(UNITS):
            index += 1
            continue
        return f"{rounded:,}{NARROW_SPACE}{unit}" if unit else f"{rounded:,}"


def money_text(amount: Amount, currency: str, *, signed: bool = False, closely: bool = False) -> str:
    """`2412345.1, USD` -> `$2.4 M`; with `signed`, money in carries a plus; `closely` says `$2.412 M`."""
    value = _decimal(amount)
    digits = _with_currency(_compact(abs(value), closely=closely), currency)
    rounds_to_zero = abs(value) < Decimal("0.5")
    if value < 0 and not rounds_to_zero:
        return f"{MINUS}{digits}"
    return f"+{digits}" if signed and not rounds_to_zero else digits


@register.filter("to_cent")
def exact_text(amount: Amount, currency: str) -> str:
    """`-2412345.1, USD` -> `−2,412,345.10 USD`."""
    value = _decimal(amount).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
    return f"{MINUS if value < 0 else ''}{abs(value):,}{NARROW_SPACE}{currency}"


@register.filter
def exact(amount: Amount | None, currency: str) -> str:
    """`-2412345.5, USD` -> `−2,412,345.50 USD`: every digit, at least two decimals. None stays empty."""
    if amount is None:
        return ""
    value = _decimal(amount).normalize()
    digits = max(2, -int(value.as_tuple().exponent))
    return f"{MINUS if value < 0 else ''}{abs(value):,.{digits}f}{NARROW_SPACE}{currency}"


@register.filter
def signed_exact(amount: Amount | None, currency: str) -> str:
    """As `exact`, with a plus for money that comes in."""
    text = exact(amount, currency)
    return f"+{text}" if amount is not None and _decimal(amount) > 0 else text


def _money_markup(amount: Amount, currency: str, *, signed: bool = False, closely: bool = False) -> SafeString:
    return format_html(
        '<data class="money" value="{}" title="{}">{}</data>',
        format(_decimal(amount), "f"),
        exact_text(amount, currency),
        money_text(amount, currency, signed=signed, closely=closely),
    )


@register.filter
def money(amount: Amount | None, currency: str) -> str | SafeString:
    """Compact, with the exact amount on hover and in the markup. None stays empty."""
    return "" if amount is None else _money_markup(amount, currency)


@register.filter
def money_closely(amount: Amount | None, currency: str) -> str | SafeString:
    """As `money`, to the thousandth of a million: for columns in which one looks for small differences."""
    return "" if amount is None else _money_markup(amount, currency, closely=True)


@register.filter
def signed_money(amount: Amount | None, currency: str) -> str | SafeString:
    """As `money`, with a plus for money that comes in."""
    return "" if amount is None else _money_markup(amount, currency, signed=True)


@register.filter
def days(count: int) -> str:
    """`62` -> `62 days`."""
    return f"{count:,} day" if count == 1 else f"{count:,} days"


@register.filter
def day_date(day: date, reference: date | None = None) -> str:
    """`24 Jan`, with the year unless it is the year of `reference` or the months right after it."""
    text = f"{day.day}\N{NO-BREAK SPACE}{MONTHS[day.month - 1]}"
    if reference is not None:
        days_ahead = (day - reference).days
        if day.year == reference.year or 0 <= days_ahead < UNAMBIGUOUS_DAYS:
            return text
    return f"{text}\N{NO-BREAK SPACE}{day.year}"


@register.filter
def moment(text: str) -> datetime:
    """The instant that a report, which is JSON, holds in ISO 8601."""
    return datetime.fromisoformat(text)


@register.filter
def instant(moment: datetime) -> str:
    """`23 Nov 2026, 09:14 UTC`, in the zone that the moment carries."""
    return f"{day_date(moment.date())}, {moment:%H:%M} {moment.tzname()}"


@register.filter
def odds(probability: float) -> str:
    """`0.724` -> `72 %`. Ten thousand futures can neither promise nor exclude: `> 99 %` and `< 1 %`."""
    if probability > 0.99:
        return f">{NARROW_SPACE}99{NARROW_SPACE}%"
    if probability < 0.01:
        return f"<{NARROW_SPACE}1{NARROW_SPACE}%"
    return f"{round(probability * 100)}{NARROW_SPACE}%"


@register.filter
def share(part: float) -> str:
    """`0.923` -> `92 %`: of what was counted, so 0 and 100 are what they say."""
    percent = round(part * 100)
    return f"{MINUS if percent < 0 else ''}{abs(percent)}{NARROW_SPACE}%"
