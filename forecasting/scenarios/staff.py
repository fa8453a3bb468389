"""People who join or leave a payroll."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from forecasting.drivers.contribution import Setting
from forecasting.fit.hires import NET_SHARE, ExpectedHire
from forecasting.fit.history import base_rates
from forecasting.scenarios.change import Inapplicable
from ledger.domain.flows import day_number


def with_people(setting: Setting, *, start: date, monthly_gross: Decimal, currency: str) -> Setting:
    """The company with so much more pay per month from `start` on, or less when it is negative.

    Tax and the days of pay are those of the currency's payroll (see `forecasting.drivers.payroll`).

    Raises:
        Inapplicable: nobody knows the currency's rate.
    """
    history = setting.history
    code = currency or history.base_currency
    rate = base_rates(history).get(code)
    if rate is None:
        raise Inapplicable("currency", f"there is no exchange rate from {code} to {history.base_currency}")
    joined = ExpectedHire(
        start_day=day_number(start), net_per_month=float(monthly_gross) * rate * NET_SHARE, currency=code
    )
    return replace(setting, company=replace(setting.company, hires=(*setting.company.hires, joined)))
