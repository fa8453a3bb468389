"""Everything a forecast may know about a company: its past in arrays, its balances, and its plan."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from forecasting.fit.plan import CloudCredit, PlanDocument
from forecasting.outcome import UNCALIBRATED, Calibration
from ledger.domain.flows import DailyFlows
from ledger.domain.liabilities import Liabilities


class MissingInputs(Exception):
    """There is no honest forecast yet; `reasons` name what is missing, for a person to supply."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class CompanyHistory:
    """One company at the end of one day.

    Attributes:
        as_of: the last day that is known; day 1 of a forecast is the day after it, in the company's calendar.
        base_currency: ISO 4217; every figure of the forecast is in it.
        flows: what moved, day by day; rows after `as_of` are ignored.
        cash: closing balance per currency on `as_of`.
        rates: base currency per unit of each currency on `as_of`; the base currency needs none.
        plan: what a finance person knows.
        grants: cloud credits as they stand on `as_of`; None takes the plan's.
        country: ISO 3166 of the bank holidays of the base currency; empty derives it from zone or currency.
        timezone: IANA name, for the country when none is given.
        calibration: what earlier forecasts of this company say about the width of this one.
        liabilities: what the ledger states of cash that is not the company's; None leaves it to a guess.
    """

    as_of: date
    base_currency: str
    flows: DailyFlows
    cash: dict[str, Decimal]
    rates: dict[str, Decimal]
    plan: PlanDocument = field(default_factory=PlanDocument)
    grants: tuple[CloudCredit, ...] | None = None
    country: str = ""
    timezone: str = ""
    company: str = ""
    calibration: Calibration = UNCALIBRATED
    liabilities: Liabilities | None = None


def base_rates(history: CompanyHistory) -> dict[str, float]:
    """Base currency per unit, for every currency that the history or the plan uses.

    Raises:
        MissingInputs: a currency moves money but has no rate.
    """
    rates = {code: float(rate) for code, rate in history.plan.fx.items()}
    rates |= {code: float(rate) for code, rate in history.rates.items()}
    rates[history.base_currency] = 1.0
    used = {code for code, amount in history.cash.items() if amount}
    used |= {history.flows.currencies[code] for code in set(history.flows.currency.tolist())}
    used |= {hire.currency for hire in history.plan.planned_hires}
    reasons = tuple(
        f"no exchange rate from {code} to {history.base_currency} on {history.as_of}"
        for code in sorted(used)
        if not rates.get(code, 0.0) > 0.0
    )
    if reasons:
        raise MissingInputs(reasons)
    return rates
