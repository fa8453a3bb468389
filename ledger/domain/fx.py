"""Exchange rates as the European Central Bank publishes them: units of a currency per euro, once per working day.

Rates are exact decimals from the published text. A cross rate goes through the euro and is rounded once, to twelve
decimals: six would leave two significant digits of a rupiah in dollars. A currency that became the euro has its
irrevocable rate from that day on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger.domain.euro_adoption import EURO_ADOPTIONS
from ledger.domain.money import MONEY

EURO = "EUR"
SOURCE = "ecb"
# By law and not by a market: a currency that became the euro.
FIXED = "euro-fixed"
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
        source: who changed it, at most 17 characters: `stripe+euro-fixed+ecb` must fit into 32.
        at: when (UTC).
    """

    currency: str
    rate: Decimal
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _PerEuro:
    """Attributes:
    units: of a currency, per euro.
    day: when that was published; for a rate that is fixed, since when.
    fixed: it holds for good, so it cannot be old.
    """

    units: Decimal
    day: date
    fixed: bool = False


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
        """Whether the currency was ever quoted, or became the euro."""
        return currency == EURO or currency in self.columns or currency in EURO_ADOPTIONS

    def quote(self, *, currency: str, base: str, on: date) -> FxQuote:
        """Return the last rate published on or before a day.

        Days after the end of the file get its last rate, as long as the currency was quoted on the file's last
        day. A currency that became the euro has its irrevocable rate ever since; the source says so.

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
        unit, other = self._per_euro(currency, on), self._per_euro(base, on)
        rate = MONEY.divide(other.units, unit.units).quantize(RATE_STEP, context=MONEY)
        published = [leg.day for leg in (unit, other) if not leg.fixed]
        # The older of two published days is when the cross rate was last true.
        day = min(published) if published else max(unit.day, other.day)
        by_law = any(leg.fixed and leg.units != ONE for leg in (unit, other))
        source = "+".join([FIXED] * by_law + [SOURCE] * bool(published))
        return FxQuote(rate, source, datetime.combine(day, _PUBLISHED).astimezone(UTC))

    def _per_euro(self, currency: str, on: date) -> _PerEuro:
        if currency == EURO:
            return _PerEuro(ONE, date.min, fixed=True)
        adoption = EURO_ADOPTIONS.get(currency)
        if adoption is not None and on >= adoption.since:
            return _PerEuro(adoption.units_per_euro, adoption.since, fixed=True)
        column = self.columns.get(currency)
        if column is None:
            raise UnknownRate(currency, f"the European Central Bank publishes no rate for {currency}")
        start = min(on, self.last_day)
        for days_back in range(MAX_GAP_DAYS + 1):
            day = start - timedelta(days=days_back)
            line = self.lines.get(day)
            if line is None:
                continue
            text = line.split(",", column + 1)[column]
            if text not in _MISSING:
                return _PerEuro(Decimal(text), day)
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
