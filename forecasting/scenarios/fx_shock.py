"""FX shock: a currency is worth more or less from a day on."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from forecasting.drivers.contribution import Contribution, Setting
from forecasting.fit.cash_rows import Payee
from forecasting.fit.history import base_rates
from forecasting.fit.pool import IN, OUT
from forecasting.fit.role import Role
from forecasting.scenarios.change import Change, Inapplicable, Told, on_day, percent
from forecasting.scenarios.fields import Rule, ruled
from forecasting.scenarios.lost_customer import INVOICES
from forecasting.scenarios.scaled import revenue_by, share_of, with_pool, with_streams
from ledger.domain.flows import day_number


@dataclass(frozen=True)
class FxShock(Change):
    """What is held, paid and earned in the currency is worth `share` more, or less when it is negative.

    Of sales and everyday spending the currency's part is its part of the past year's. Rates go on moving as
    before.
    """

    KIND = "fx_shock"
    LABEL = "A currency moves"
    ABOUT = "Currencies"

    currency: str = ruled(Rule("currency", "Currency"))
    start: date = ruled(Rule("day", "From"))
    share: float = ruled(Rule("share", "Worth more by", hint="negative: less", at_least=-0.9, at_most=3.0))

    def in_force_from(self) -> date:
        return self.start

    def settle(self, setting: Setting) -> Setting:
        history, company, by = setting.history, setting.company, 1.0 + self.share
        if self.currency == history.base_currency:
            raise Inapplicable("currency", "is the currency that the company counts in")
        if self.currency not in base_rates(history):
            raise Inapplicable("currency", f"{self.currency} is not used by this company")

        def abroad(payee: Payee) -> bool:
            return payee.currency == self.currency

        company, _ = with_streams(
            company, chosen=lambda _, __, currency: currency == self.currency, incoming=None, by=by
        )
        for direction in (OUT, IN):
            share = share_of(company.pooled, chosen=abroad, incoming=direction == IN)
            company = with_pool(company, direction=direction, by=1.0 + self.share * share)
        sold = share_of(company.rows.of(Role.REVENUE), chosen=abroad, incoming=True)
        invoiced = share_of(company.rows.of(*INVOICES), chosen=abroad, incoming=True)
        changed = replace(
            company,
            payrolls=tuple(
                replace(each, level=each.level * by) if each.currency == self.currency else each
                for each in company.payrolls
            ),
            hires=tuple(
                replace(each, net_per_month=each.net_per_month * by) if each.currency == self.currency else each
                for each in company.hires
            ),
            sales=revenue_by(company.sales, 1.0 + self.share * sold),
            invoiced=revenue_by(company.invoiced, 1.0 + self.share * invoiced),
        )
        return replace(setting, company=changed)

    def turn(self, told: Told, setting: Setting) -> Told:
        """The balance held in the currency is revalued once, on the day of the shock."""
        held = float(setting.history.cash.get(self.currency, 0)) * base_rates(setting.history)[self.currency]
        day = max(1, setting.days_ahead(day_number(self.start)))
        if not held or day > setting.horizon_days:
            return told
        contribution = told.contributions.get("fx", Contribution())
        fixed = np.zeros(setting.horizon_days) if contribution.fixed is None else contribution.fixed.copy()
        fixed[day - 1] += held * self.share
        return told.turned("fx", replace(contribution, fixed=fixed))

    def sentence(self, currency: str) -> str:
        word = "more" if self.share >= 0 else "less"
        return f"{self.currency} worth {percent(abs(self.share))} {word} {currency} from {on_day(self.start)}"
