"""Cost cut: a category, a vendor or everything costs less from a day on."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from forecasting.drivers.contribution import Setting
from forecasting.fit.cash_rows import CashRows, Payee
from forecasting.fit.company import FittedCompany
from forecasting.fit.pool import OUT
from forecasting.fit.role import Role
from forecasting.scenarios.change import Change, Inapplicable, on_day, percent
from forecasting.scenarios.fields import Rule, ruled
from forecasting.scenarios.scaled import share_of, with_pool, with_streams

ALL, CATEGORY, VENDOR = "all", "category", "vendor"


@dataclass(frozen=True)
class CostCut(Change):
    """`share` less of what is spent: payroll with its tax, bills, everyday spending, cost of sales, cloud usage.

    Company taxes, tax already withheld and bills already due are owed, and stay. A vendor's or category's part of
    everyday spending is its part of the past year's.
    """

    KIND = "cost_cut"
    LABEL = "Cut costs"
    ABOUT = "Costs"

    start: date = ruled(Rule("day", "From"))
    share: float = ruled(Rule("share", "Cut by", at_most=1.0))
    scope: str = ruled(
        Rule("choice", "Of", choices=((ALL, "everything"), (CATEGORY, "one category"), (VENDOR, "one vendor"))),
        default=ALL,
    )
    name: str = ruled(Rule("text", "Which one", hint="as in the ledger"), default="")

    def in_force_from(self) -> date:
        return self.start

    def settle(self, setting: Setting) -> Setting:
        if self.scope == ALL:
            if self.name:
                raise Inapplicable("name", f"is for a category or a vendor, and the scope is {ALL}")
            return _everything(setting, by=1.0 - self.share)
        if not self.name:
            raise Inapplicable("name", f"must name the {self.scope}")
        return self._some(setting)

    def sentence(self, currency: str) -> str:
        del currency
        of = "all costs" if self.scope == ALL else f"{self.scope} {self.name}"
        return f"Cut {of} by {percent(self.share)} from {on_day(self.start)}"

    def _is_meant(self, category: str, counterparty: str) -> bool:
        return (category if self.scope == CATEGORY else counterparty).casefold() == self.name.casefold()

    def _some(self, setting: Setting) -> Setting:
        company, by = setting.company, 1.0 - self.share
        company, found = with_streams(
            company, chosen=lambda category, payee, _: self._is_meant(category, payee), incoming=False, by=by
        )

        def mine(payee: Payee) -> bool:
            return self._is_meant(payee.category, payee.counterparty)

        pooled = share_of(company.pooled, chosen=mine, incoming=False)
        company = with_pool(company, direction=OUT, by=1.0 - self.share * pooled)
        paid = {payee.counterparty for payee in company.rows.payees if mine(payee)}
        parts = [
            share_of(_paid_to(company.rows, cost.payees), chosen=mine, incoming=False) for cost in company.costs
        ]
        followed = any(parts)
        company = _costs(company, by=[1.0 - self.share * part for part in parts])
        payroll = share_of(company.rows.of(Role.PAYROLL), chosen=mine, incoming=False)
        company = _payrolls(company, by=1.0 - self.share * payroll)
        clouds = {cloud.provider for cloud in company.clouds} & paid
        company = _clouds(company, by=by, providers=clouds)
        renewed = self.scope == VENDOR and any(
            self._is_meant("", renewal.vendor) for renewal in setting.history.plan.annual_renewals
        )
        if not (found or pooled or followed or payroll or clouds or renewed):
            raise Inapplicable("name", f"nothing was spent on the {self.scope} {self.name!r} in the past year")
        setting = replace(setting, company=company)
        return self._renewals(setting) if renewed else setting

    def _renewals(self, setting: Setting) -> Setting:
        plan = setting.history.plan
        left = Decimal(str(1.0 - self.share))
        renewals = tuple(
            replace(each, amount=each.amount * left) if self._is_meant("", each.vendor) else each
            for each in plan.annual_renewals
        )
        return replace(setting, history=replace(setting.history, plan=replace(plan, annual_renewals=renewals)))


def _everything(setting: Setting, *, by: float) -> Setting:
    company, _ = with_streams(setting.company, chosen=lambda *_: True, incoming=False, by=by)
    company = with_pool(company, direction=OUT, by=by)
    company = _payrolls(company, by=by)
    company = replace(
        company, hires=tuple(replace(hire, net_per_month=hire.net_per_month * by) for hire in company.hires)
    )
    company = _costs(company, by=[by] * len(company.costs))
    return replace(
        setting, company=_clouds(company, by=by, providers={cloud.provider for cloud in company.clouds})
    )


def _payrolls(company: FittedCompany, *, by: float) -> FittedCompany:
    return replace(
        company,
        payrolls=tuple(replace(payroll, level=payroll.level * by) for payroll in company.payrolls),
    )


def _paid_to(rows: CashRows, payees: frozenset[Payee]) -> CashRows:
    chosen = np.array([payee in payees for payee in rows.payees], dtype=bool)
    return rows.where(chosen[rows.payee])


def _costs(company: FittedCompany, *, by: list[float]) -> FittedCompany:
    return replace(
        company,
        costs=tuple(
            replace(cost, share=cost.share * left, variance_per_day=cost.variance_per_day * left**2)
            for cost, left in zip(company.costs, by, strict=True)
        ),
    )


def _clouds(company: FittedCompany, *, by: float, providers: set[str]) -> FittedCompany:
    return replace(
        company,
        clouds=tuple(
            replace(cloud, usage_per_day=cloud.usage_per_day * by) if cloud.provider in providers else cloud
            for cloud in company.clouds
        ),
    )
