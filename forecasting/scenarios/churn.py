"""Churn: customers who leave month by month, beyond those who always did."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from forecasting.drivers.contribution import Setting
from forecasting.scenarios.change import DAYS_PER_MONTH, Change, Inapplicable, Told, on_day, percent
from forecasting.scenarios.fields import Rule, ruled
from forecasting.scenarios.income import has_income, with_net, with_renewals
from ledger.domain.flows import day_number


@dataclass(frozen=True)
class Churn(Change):
    """From `start` on, `per_month` of the customers left are lost each month, on top of what growth allows for.

    Sales, invoiced income and the costs that follow them shrink; contracts renew less often.
    """

    KIND = "churn"
    LABEL = "Churn rises"
    ABOUT = "Customers"
    RANK = 2

    start: date = ruled(Rule("day", "From"))
    per_month: float = ruled(Rule("share", "More customers lost per month", at_most=0.9))

    def in_force_from(self) -> date:
        return self.start

    def settle(self, setting: Setting) -> Setting:
        if not has_income(setting):
            raise Inapplicable("per_month", "no income from customers is known that could be lost")
        return with_renewals(
            setting,
            start=self.start,
            amount=lambda _: 1.0,
            probability=lambda days: float(self._kept(np.array(days))),
            deals=1.0,
        )

    def turn(self, told: Told, setting: Setting) -> Told:
        first = setting.days_ahead(day_number(self.start))
        kept = self._kept(np.arange(1, setting.horizon_days + 1) - first)
        for driver, gross in told.gross.items():
            told = with_net(told, driver, share=kept, plus=np.zeros(setting.horizon_days))
            told = replace(told, gross=told.gross | {driver: gross * kept})
        return told

    def _kept(self, days_since: np.ndarray) -> np.ndarray:
        months = np.maximum(days_since, 0) / DAYS_PER_MONTH
        return np.asarray((1.0 - self.per_month) ** months)

    def sentence(self, currency: str) -> str:
        del currency
        return f"{percent(self.per_month)} more customers lost each month from {on_day(self.start)}"
