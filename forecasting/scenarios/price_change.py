"""Price change: what customers pay from a day on, and who leaves because of it."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from forecasting.drivers.contribution import Setting
from forecasting.scenarios.change import Change, Inapplicable, Told, active, on_day, percent
from forecasting.scenarios.fields import Rule, ruled
from forecasting.scenarios.income import has_income, with_net, with_renewals


@dataclass(frozen=True)
class PriceChange(Change):
    """Sales and invoiced income change by `share`; what they cost stays. Contracts change when they renew.

    Of those who leave because of it, the costs that follow sales leave as well.
    """

    KIND = "price_change"
    LABEL = "Change prices"
    ABOUT = "Customers"
    RANK = 1

    start: date = ruled(Rule("day", "From"))
    share: float = ruled(Rule("share", "Prices by", at_least=-0.9, at_most=3.0))
    leaving_share: float = ruled(
        Rule("share", "Customers who leave", hint="because of it", at_most=0.95), default=0.0
    )

    def in_force_from(self) -> date:
        return self.start

    def settle(self, setting: Setting) -> Setting:
        if not has_income(setting):
            raise Inapplicable("share", "no income from customers is known that a price could change")
        stays, price = 1.0 - self.leaving_share, 1.0 + self.share
        return with_renewals(
            setting, start=self.start, amount=lambda _: price, probability=lambda _: stays, deals=price
        )

    def turn(self, told: Told, setting: Setting) -> Told:
        on, stays = active(setting, self.start), 1.0 - self.leaving_share
        for driver, gross in told.gross.items():
            more = np.where(on, gross * self.share * stays, 0.0)
            told = with_net(told, driver, share=np.where(on, stays, 1.0), plus=more)
            told = replace(
                told, gross=told.gross | {driver: np.where(on, gross * (1.0 + self.share) * stays, gross)}
            )
        return told

    def sentence(self, currency: str) -> str:
        del currency
        leaving = f", {percent(self.leaving_share)} of customers leave" if self.leaving_share else ""
        word = "up" if self.share >= 0 else "down"
        return f"Prices {word} {percent(abs(self.share))} from {on_day(self.start)}{leaving}"
