"""What the cloud cost day by day, against the p5 of that day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class CostDay:
    """One day of the company's cloud, in base currency.

    Attributes:
        gross: before credits; None on days of which no bill speaks.
        credited: paid by credits on that day.
        p5_days: as it was last said on that day; None where nothing was.
    """

    day: date
    gross: Decimal | None
    credited: Decimal
    p5_days: int | None

    @property
    def net(self) -> Decimal | None:
        return None if self.gross is None else self.gross - self.credited


def cost_against_runway(*, company_id: int, start: date, stop: date) -> tuple[CostDay, ...]:
    """One entry per day of `[start, stop)`, at most MAX_DAYS. Days are UTC for bills, the company's for p5.

    Raises:
        CompanyNotFound: no such company.
    """
    raise NotImplementedError
