"""Exchange rates as the European Central Bank publishes them: units of a currency per euro, once per working day.

Rates are exact decimals from the published text. A cross rate goes through the euro and is rounded once, to twelve
decimals: six would leave two significant digits of a rupiah in dollars.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger.domain.money import MONEY

EURO = "EUR"
SOURCE = "ecb"
SAME_CURRENCY = "same"
RATE_STEP = Decimal("0.000000000001")
ONE = Decimal(1)
# Easter and Christmas close the market for up to four days; a longer silence means that nobody quotes the
# currency.
MAX_GAP_DAYS = 7
_PUBLISHED = time(16, 0, tzinfo=ZoneInfo("Europe/Berlin"))
_MISSING = frozenset({"", "N/A"})


class UnknownRate(LookupError):
    """No rate is published for a currency on or shortly before a day; the message names the currency."""

    def __init__(self, currency: str, message: str) -> None:
        super().__init__(message)
        self.currency = currency


@dataclass(frozen=True, slots=True)
class FxQuote:
    """What one unit of a currency is worth in the base currency.

    Attributes:
        rate: base per unit, positive.
        source: who published it.
        at: when it was published (UTC); it may be days before the day asked for.
    """

    rate: Decimal
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SettlementRate:
    """The rate at which somebody who moved the money changed it: it goes before any published one.

    Attributes:
        currency: that the money was changed into.
        rate: units of it per unit of the event's currency, positive.
        source: who changed it, at most 28 characters.
        at: when (UTC).
    """

    currency: str
    rate: Decimal
    source: str
    at: datetime


@dataclass(slots=True)
class EuroRates:
    """The published history, kept as the lines of the file; a line is taken apart when its day is asked for.

    Taking all of them apart costs 300 ms and 60 MB, and a company needs two or three currencies.

    Attributes:
        columns: {currency: position in a line}.
        lines: {day: line}.
        first_day, last_day: of the whole file.
    """

    columns: dict[str, int]
    lines: dict[date, str]
    first_day: date
    last_day: date
    _quotes: dict[tuple[str, str, date], FxQuote] = field(default_factory=dict)

    def knows(self, currency: str) -> bool:
        """Whether the currency was ever quoted."""
        return currency == EURO or currency in self.columns

    def quote(self, *, currency: str, base: str, on: date) -> FxQuote:
        """Return the last rate published on or before a day.

        Days after the end of the file get its last rate, as long as the currency was quoted on the file's last
        day.

        Raises:
            UnknownRate: not quoted by the ECB, before its first or after its last quotation, or in a gap of more
                than 7 days.
        """
        key = (currency, base, on)
        quote = self._quotes.get(key)
        if quote is None:
            quote = self._quotes[key] = self._look_up(currency, base, on)
        return quote

    def _look_up(self, currency: str, base: str, on: date) -> FxQuote:
        unit_day, units_per_euro = self._per_euro(currency, on)
        base_day, base_per_euro = self._per_euro(base, on)
        rate = MONEY.divide(base_per_euro, units_per_euro).quantize(RATE_STEP, context=MONEY)
        # The older of the two days is when the cross rate was last true.
        published = datetime.combine(min(unit_day, base_day), _PUBLISHED).astimezone(UTC)
        return FxQuote(rate, SOURCE, published)

    def _per_euro(self, currency: str, on: date) -> tuple[date, Decimal]:
        column = self.columns.get(currency)
        if column is None and currency != EURO:
            raise UnknownRate(currency, f"the European Central Bank publishes no rate for {currency}")
        start = min(on, self.last_day)
        for days_back in range(MAX_GAP_DAYS + 1):
            day = start - timedelta(days=days_back)
            line = self.lines.get(day)
            if line is None:
                continue
            if column is None:
                return day, ONE
            text = line.split(",", column + 1)[column]
            if text not in _MISSING:
                return day, Decimal(text)
        raise UnknownRate(currency, f"the European Central Bank published no rate for {currency} around {on}")


def read_euro_rates(lines: Sequence[str]) -> EuroRates:
    """Return the history in a file of the ECB: a header `Date,USD,…`, then one line per working day, newest first.

    Raises:
        ValueError: the lines are not in that form.
    """
    header = [name.strip() for name in lines[0].split(",")]
    if header[0] != "Date":
        raise ValueError("not a history of euro reference rates: the first column is not Date")
    columns = {name: position for position, name in enumerate(header) if name and position}
    days = {date.fromisoformat(line[:10]): line for line in lines[1:] if line}
    return EuroRates(columns, days, min(days), max(days))
