"""Hire: salary and employer's tax from a day on."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from forecasting.drivers.contribution import Setting
from forecasting.scenarios.change import Change, on_day
from forecasting.scenarios.fields import Rule, ruled
from forecasting.scenarios.staff import with_people


@dataclass(frozen=True)
class Hire(Change):
    """People who start. Unlike a hire of the plan, which may slip or fall through, these come, and on the day."""

    KIND = "hire"
    LABEL = "Hire"
    ABOUT = "People"

    start: date = ruled(Rule("day", "First day"))
    monthly_gross: Decimal = ruled(Rule("money", "Gross salary per month"))
    people: int = ruled(Rule("whole", "People", at_least=1, at_most=1000), default=1)
    currency: str = ruled(Rule("currency", "Currency", hint="empty: the company's own"), default="")

    def settle(self, setting: Setting) -> Setting:
        return with_people(
            setting,
            start=self.start,
            monthly_gross=self.monthly_gross * self.people,
            currency=self.currency,
        )

    def sentence(self, currency: str) -> str:
        who, each = ("somebody", "") if self.people == 1 else (f"{self.people:,} people", " each")
        paid = f"{self.monthly_gross:,.0f} {self.currency or currency} a month{each}"
        return f"Hire {who} at {paid} from {on_day(self.start)}"
