"""Raise: new money that may come, and late."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from forecasting.drivers.contribution import Contribution, Setting
from forecasting.kernel.inputs import Tranche
from forecasting.scenarios.change import Change, Inapplicable, Told, on_day, percent
from forecasting.scenarios.fields import Rule, ruled
from ledger.domain.flows import day_number

NAME = "raise"


@dataclass(frozen=True)
class NewMoney(Change):
    """A tranche that no plan has. Amount in the company's currency."""

    KIND = "raise"
    LABEL = "Raise money"
    ABOUT = "New money"

    date: date = ruled(Rule("day", "Planned for"))
    amount: Decimal = ruled(Rule("money", "Amount"))
    probability: float = ruled(Rule("share", "How likely", at_least=0.01, at_most=1.0), default=0.7)
    delay_mean_days: int = ruled(Rule("whole", "Usual delay in days", at_least=0, at_most=730), default=21)
    delay_sd_days: int = ruled(Rule("whole", "Give or take days", at_least=0, at_most=730), default=14)

    def turn(self, told: Told, setting: Setting) -> Told:
        if self.delay_sd_days and not self.delay_mean_days:
            raise Inapplicable("delay_sd_days", "must be 0 when the usual delay is")
        tranches = told.contributions.get("tranches", Contribution())
        # A name of its own, so that a raise leaves the plan's tranches as lucky as they were.
        count = sum(tranche.name.startswith(NAME) for tranche in tranches.tranches)
        raised = Tranche(
            name=f"{NAME} {count}",
            day=setting.days_ahead(day_number(self.date)),
            amount=float(self.amount),
            probability=self.probability,
            delay_mean_days=float(self.delay_mean_days),
            delay_sd_days=float(self.delay_sd_days),
        )
        return told.turned("tranches", replace(tranches, tranches=(*tranches.tranches, raised)))

    def sentence(self, currency: str) -> str:
        return f"Raise {self.amount:,.0f} {currency} on {on_day(self.date)}, {percent(self.probability)} likely"
