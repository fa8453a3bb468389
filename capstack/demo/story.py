"""The demo company and what befalls it, as offsets from the day on which it is made.

Fernhill Labs sells forecasting software, employs people in New York, London and Berlin, and runs on a cloud
credit. Three things move its runway at once, as they did in the story that capstack was founded on: the credit
expires in six weeks with part of it unused, salaries leave in three currencies, and the second tranche of its
round, which is not certain, follows a first one that came 18 days late.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from capstack.demo.workdays import on_or_after

SLUG = "demo"
NAME = "Fernhill Labs"
CURRENCY = "USD"
TIMEZONE = "America/New_York"
ZONE = ZoneInfo(TIMEZONE)
SEED = 20_260_718

HISTORY_DAYS = 548
DAYS_PER_MONTH = 365.25 / 12

CASH_AT_END = {"USD": Decimal("1412218.64"), "EUR": Decimal("21480.35"), "GBP": Decimal("28905.12")}
CREDIT_LEFT = Decimal("92000.00")
FIRST_TRANCHE = Decimal("2000000.00")
SECOND_TRANCHE = Decimal("1750000.00")
TRANCHE_DELAY_DAYS = 18


@dataclass(frozen=True, slots=True)
class Story:
    """The dates of the story.

    Attributes:
        today: the day of making, in the company's calendar. History ends the day before, so that whatever is
            recorded on the first day counts on top of it.
        first_day: the first day of the full history.
    """

    today: date

    @property
    def first_day(self) -> date:
        return self.today - timedelta(days=HISTORY_DAYS)

    @property
    def as_of(self) -> date:
        return self.today - timedelta(days=1)

    @property
    def credit_granted(self) -> date:
        return self.today - timedelta(days=365)

    @property
    def credit_expires(self) -> date:
        return self.today + timedelta(days=44)

    @property
    def first_tranche_arrived(self) -> date:
        return on_or_after(self.today - timedelta(days=152))

    @property
    def first_tranche_planned(self) -> date:
        return self.first_tranche_arrived - timedelta(days=TRANCHE_DELAY_DAYS)

    @property
    def second_tranche_planned(self) -> date:
        return on_or_after(self.today + timedelta(days=52))

    def months_since_start(self, day: date) -> float:
        """How far into the history a day lies; the company grows with this."""
        return (day - self.first_day).days / DAYS_PER_MONTH
