"""Leave: salary and employer's tax that end on a day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from forecasting.drivers.contribution import Setting
from forecasting.scenarios.change import Change, Inapplicable, on_day
from forecasting.scenarios.fields import Rule, ruled
from forecasting.scenarios.staff import with_people


@dataclass(frozen=True)
class Leave(Change):
    """People who go. `start` is the first day for which they are not paid any more."""

    KIND = "leave"
    LABEL = "Somebody leaves"
    ABOUT = "People"

    start: date = ruled(Rule("day", "First day without pay"))
    monthly_gross: Decimal = ruled(Rule("money", "Gross salary per month"))
    people: int = ruled(Rule("whole", "People", at_least=1, at_most=1000), default=1)
    currency: str = ruled(Rule("currency", "Currency", hint="empty: the company's own"), default="")

    def settle(self, setting: Setting) -> Setting:
        changed = with_people(
            setting, start=self.start, monthly_gross=-self.monthly_gross * self.people, currency=self.currency
        )
        paid = sum(payroll.level * payroll.schedule.runs_per_month for payroll in setting.company.payrolls)
        paid += sum(hire.net_per_month for hire in setting.company.hires)
        if -changed.company.hires[-1].net_per_month > paid:
            raise Inapplicable("monthly_gross", "is more than the whole payroll, so nobody earns it")
        return changed

    def sentence(self, currency: str) -> str:
        paid = f"paid {self.monthly_gross:,.0f} {self.currency or currency} a month"
        who = f"Somebody {paid} leaves" if self.people == 1 else f"{self.people:,} people {paid} each leave"
        return f"{who} on {on_day(self.start)}"
