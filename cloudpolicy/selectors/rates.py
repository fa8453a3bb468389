"""What the currencies of bills are worth on one day."""

from datetime import date
from decimal import Decimal

from ledger.domain.fx import UnknownRate
from ledger.selectors.fx import rate


class Rates:
    """What currencies are worth in a base currency, asked once each."""

    def __init__(self, base: str, day: date) -> None:
        self.base, self.day = base, day
        self._known: dict[str, Decimal | None] = {}

    @property
    def unknown(self) -> list[str]:
        """Currencies that were asked for in vain."""
        return sorted(currency for currency, known in self._known.items() if known is None)

    @property
    def doubt(self) -> str:
        return f"what {', '.join(self.unknown)} is worth in {self.base} is not known"

    def of(self, currency: str) -> Decimal | None:
        """What one unit is worth; None where the currency is not quoted."""
        if currency not in self._known:
            try:
                self._known[currency] = rate(currency=currency, base=self.base, on=self.day).rate
            except UnknownRate:
                self._known[currency] = None
        return self._known[currency]
