"""Lost customer: one who pays no more from a day on."""

from dataclasses import dataclass, replace
from datetime import date

from forecasting.drivers.contribution import Setting
from forecasting.fit.cash_rows import Payee
from forecasting.fit.payees import plain_name
from forecasting.fit.pool import IN
from forecasting.fit.role import Role
from forecasting.scenarios.change import Change, Inapplicable, on_day
from forecasting.scenarios.fields import Rule, ruled
from forecasting.scenarios.scaled import revenue_by, share_of, with_pool, with_streams
from ledger.domain.flows import day_number

INVOICES = (Role.INVOICED, Role.CONTRACT, Role.OTHER)


@dataclass(frozen=True)
class LostCustomer(Change):
    """No renewal, invoice or recurring payment of theirs any more; invoices that are open are still paid."""

    KIND = "lost_customer"
    LABEL = "Lose a customer"
    ABOUT = "Customers"

    customer: str = ruled(Rule("text", "Customer", hint="as in the ledger"))
    start: date = ruled(Rule("day", "From"))

    def in_force_from(self) -> date:
        return self.start

    def settle(self, setting: Setting) -> Setting:
        if not self.customer:
            raise Inapplicable("customer", "must name a customer of the ledger")
        company, wanted, first = setting.company, plain_name(self.customer).casefold(), day_number(self.start)

        def mine(payee: Payee) -> bool:
            return payee.counterparty.casefold() == wanted

        company, found = with_streams(
            company, chosen=lambda _, payee, __: payee.casefold() == wanted, incoming=True, by=0.0
        )
        sold = share_of(company.rows.of(Role.REVENUE), chosen=mine, incoming=True)
        invoiced = share_of(company.rows.of(*INVOICES), chosen=mine, incoming=True)
        pooled = share_of(company.pooled, chosen=mine, incoming=True)
        contracts = company.contracts
        theirs = [each for each in contracts.renewals if each.customer.casefold() == wanted]
        if not (found or sold or invoiced or pooled or theirs):
            raise Inapplicable("customer", f"nobody called {self.customer!r} paid anything in the past year")
        company = with_pool(company, direction=IN, by=1.0 - pooled)
        kept = tuple(each for each in contracts.renewals if not (each in theirs and each.day >= first))
        changed = replace(
            company,
            sales=revenue_by(company.sales, 1.0 - sold),
            invoiced=revenue_by(company.invoiced, 1.0 - invoiced),
            contracts=replace(contracts, renewals=kept),
        )
        return replace(setting, company=changed)

    def sentence(self, currency: str) -> str:
        del currency
        return f"{self.customer} is lost from {on_day(self.start)}"
