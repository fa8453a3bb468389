"""The whole fit of a company: every row of its ledger goes to exactly one model, and each model is fitted once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import BusinessCalendar
from forecasting.fit.cash_rows import LONGEST_SILENCE_DAYS, CashRows, Payee, since_last_silence
from forecasting.fit.cloud import FittedCloud, fit_clouds
from forecasting.fit.contracts import FittedContracts, Receivable, fit_contracts
from forecasting.fit.cost_of_sales import FittedCost, fit_costs
from forecasting.fit.hires import ExpectedHire, expected_hires
from forecasting.fit.history import CompanyHistory, MissingInputs, base_rates
from forecasting.fit.invoiced import fit_invoiced
from forecasting.fit.leak import FittedLeak, fit_leak
from forecasting.fit.looks import WINDOW_DAYS, Looks, look
from forecasting.fit.payees import plainly_named
from forecasting.fit.payroll import FittedPayroll, calendar_of, fit_payrolls
from forecasting.fit.payroll_tax import FittedPayrollTax, fit_payroll_taxes
from forecasting.fit.plan_met import met_tranches
from forecasting.fit.pool import IN, OUT, FittedPool, fit_pool, has_ended, monthly_outflow, pool_history
from forecasting.fit.read_rows import read_cash_rows
from forecasting.fit.recurring import Streams, expect
from forecasting.fit.renewals import planned_bills
from forecasting.fit.revenue import FittedRevenue, fit_sales
from forecasting.fit.role import Role, has_role
from forecasting.fit.sales_tax import FittedSalesTax, fit_sales_taxes
from forecasting.fit.tax_credits import YearlyTaxCredit, fit_tax_credits
from forecasting.fit.taxes import FittedTaxes, fit_taxes
from forecasting.fit.thirteenth import with_unseen_yearly_pay

USUAL_TAX_GROWTH = 0.004  # per month, for a company without income to tax
MONTHS_AHEAD = 25  # as far as a forecast goes
LARGE_PAYROLL = 0.25  # of what is spent in a month


@dataclass(frozen=True, slots=True)
class FittedCompany:
    """What the drivers build a forecast from. Amounts in base currency, days counted from 1970-01-01.

    Attributes:
        cash: closing balance on the as-of date.
        calendar: bank calendar of the base currency.
        taxes_of: the taxes of each payroll, by position.
        costs, sales_taxes: what follows sales, or invoiced income where there are no sales.
        streams: recurring payments in and out.
        stream_names, stream_categories, stream_currencies: payee of each stream, and what it is paid for and in.
        pools, leaks: by direction, (OUT, IN).
        pooled: the rows that the pools stand for.
        arrived: tranches of the plan that have come, by place in it, with their days.
        silence: days before and after a long time that the books do not know; `rows` begin with the latter.
    """

    as_of_day: int
    cash: float
    calendar: BusinessCalendar
    rows: CashRows
    payrolls: tuple[FittedPayroll, ...]
    taxes_of: tuple[tuple[FittedPayrollTax, ...], ...]
    hires: tuple[ExpectedHire, ...]
    sales: FittedRevenue | None
    invoiced: FittedRevenue | None
    costs: tuple[FittedCost, ...]
    contracts: FittedContracts
    clouds: tuple[FittedCloud, ...]
    sales_taxes: tuple[FittedSalesTax, ...]
    taxes: FittedTaxes | None
    tax_credits: tuple[YearlyTaxCredit, ...]
    streams: Streams
    stream_names: tuple[str, ...]
    stream_categories: tuple[str, ...]
    stream_currencies: tuple[str, ...]
    pools: tuple[FittedPool | None, FittedPool | None]
    leaks: tuple[FittedLeak, FittedLeak]
    pooled: CashRows
    arrived: Mapping[int, int]
    silence: tuple[int, int] | None


def fit_company(history: CompanyHistory) -> FittedCompany:
    """Fit every model.

    Raises:
        MissingInputs: naming what a forecast cannot do without.
    """
    history = plainly_named(history)
    rates = base_rates(history)
    rows, silence = since_last_silence(read_cash_rows(history))
    _refuse_what_is_missing(rows, history)
    calendar = calendar_of(history, history.base_currency)

    payrolls, of_payroll = fit_payrolls(rows, history)
    payrolls = tuple(with_unseen_yearly_pay(payroll) for payroll in payrolls)
    taxes_of, of_payroll_tax = fit_payroll_taxes(rows, payrolls)
    clouds, of_cloud = fit_clouds(rows, history)
    contracts, of_contracts = fit_contracts(rows, history)
    sales, of_sales = fit_sales(rows)
    tax_credits, of_tax_credits = fit_tax_credits(rows, history)
    invoiced, of_invoiced = fit_invoiced(
        rows, explained=of_contracts | of_sales | of_tax_credits, owed=contracts.receivables
    )
    income = sales or invoiced
    sales_taxes, of_sales_taxes = fit_sales_taxes(
        rows,
        income=income,
        of_income=of_sales if sales else of_invoiced,
        calendar=calendar,
        months_ahead=MONTHS_AHEAD,
    )
    taxes, of_taxes = fit_taxes(
        rows,
        growth=income.g if income else USUAL_TAX_GROWTH,
        explained=of_sales_taxes,
        calendar=calendar,
    )
    of_taxes |= of_sales_taxes
    explained = of_contracts | of_sales | of_invoiced | of_tax_credits
    costs, of_costs = fit_costs(
        rows,
        sales=income,
        of_sales=of_sales if sales else of_invoiced,
        explained=of_payroll | of_payroll_tax | of_cloud | of_taxes,
    )
    explained |= of_costs | of_payroll | of_payroll_tax | of_cloud | of_taxes
    explained |= planned_bills(rows, history) & ~of_cloud
    explained |= has_role(rows.role, Role.TRANSFER, Role.FUNDING)

    looks = look(rows.where(~explained), calendar=calendar)
    streams, payees = _streams(rows, looks, owed=contracts.receivables)
    pools, leaks = _pools_and_leaks(rows, looks, calendar, passed_on=of_costs | of_sales_taxes, payrolls=payrolls)
    return FittedCompany(
        as_of_day=rows.as_of_day,
        cash=sum(float(amount) * rates[code] for code, amount in history.cash.items() if amount),
        calendar=calendar,
        rows=rows,
        payrolls=payrolls,
        taxes_of=taxes_of,
        hires=expected_hires(history, payrolls),
        sales=sales,
        invoiced=invoiced,
        costs=costs,
        contracts=contracts,
        clouds=clouds,
        sales_taxes=sales_taxes,
        taxes=taxes,
        tax_credits=tax_credits,
        streams=streams,
        stream_names=tuple(payee.counterparty or payee.category or "unnamed payee" for payee in payees),
        stream_categories=tuple(payee.category for payee in payees),
        stream_currencies=tuple(payee.currency for payee in payees),
        pools=pools,
        leaks=leaks,
        silence=silence,
        arrived=met_tranches(rows, history),
        pooled=looks.rows.where(looks.pooled()[0]),
    )


def _refuse_what_is_missing(rows: CashRows, history: CompanyHistory) -> None:
    """No balance, no spending, a ledger that ended long ago: each would make cash last for ever by accident."""
    reasons = []
    if not history.cash:
        reasons.append(f"no cash balance on {history.as_of}: state one in the plan or record the opening balance")
    moved = rows.where((rows.role != Role.TRANSFER) & (rows.role != Role.CLOUD_CREDIT) & (rows.amount != 0))
    if not (moved.amount < 0).any():
        reasons.append(f"no expense is recorded up to {history.as_of}, so nobody knows the burn")
    elif rows.as_of_day - int(moved.day[-1]) > LONGEST_SILENCE_DAYS:
        last = history.as_of - timedelta(days=rows.as_of_day - int(moved.day[-1]))
        reasons.append(
            f"the last recorded movement of cash is of {last}, more than {LONGEST_SILENCE_DAYS} days ago"
        )
    if reasons:
        raise MissingInputs(tuple(reasons))


def _streams(rows: CashRows, looks: Looks, *, owed: tuple[Receivable, ...]) -> tuple[Streams, tuple[Payee, ...]]:
    """Today's streams and who they are.

    Where instalments of a grant are listed among the open invoices no other is expected of any giver: what is
    signed is listed.
    """
    streams = looks.detection.streams
    today = streams.where(streams.key < looks.keys)
    payee = np.zeros(max(looks.keys, 1), dtype=np.int64)
    payee[looks.row_key] = looks.rows.payee
    givers = np.unique(rows.payee[(rows.role == Role.GRANT) & (rows.amount > 0)])
    if {rows.payees[giver].counterparty for giver in givers.tolist()} & {one.customer for one in owed}:
        today = today.where(~np.isin(payee[today.key], givers))
    return today, tuple(rows.payees[payee[key]] for key in today.key.tolist())


def _laid_off_day(payrolls: tuple[FittedPayroll, ...], *, outflow: float) -> int | None:
    """The last layoff in the largest payroll, if that is a good part of what is spent in a month."""
    monthly = [payroll.level * payroll.schedule.runs_per_month for payroll in payrolls]
    largest = int(np.argmax(monthly)) if monthly else 0
    return payrolls[largest].laid_off_day if monthly and monthly[largest] >= LARGE_PAYROLL * outflow else None


def _pools_and_leaks(
    rows: CashRows,
    looks: Looks,
    calendar: BusinessCalendar,
    *,
    passed_on: NDArray[np.bool_],
    payrolls: tuple[FittedPayroll, ...],
) -> tuple[tuple[FittedPool | None, FittedPool | None], tuple[FittedLeak, FittedLeak]]:
    """Pools and leaks by direction; `passed_on` rows follow income, and tell nothing of how large a company is.

    With a layoff everyday spending is cut too, so it is read from the weeks since.
    """
    cash = (rows.role != Role.TRANSFER) & (rows.role != Role.CLOUD_CREDIT) & ~passed_on
    outflow = monthly_outflow(rows.day[cash], rows.amount[cash], looks=looks.day, first_day=looks.first_day)
    ended = has_ended(looks)
    out, into = (
        pool_history(looks, direction=direction, all_outflow=outflow, ended=ended) for direction in (OUT, IN)
    )
    occurrences = expect(looks.detection.streams, days=WINDOW_DAYS, calendar=calendar)
    since_day = _laid_off_day(payrolls, outflow=float(outflow[0]))
    return (fit_pool(looks, out, since_day=since_day), fit_pool(looks, into)), (
        fit_leak(looks, out, occurrences, direction=OUT),
        fit_leak(looks, into, occurrences, direction=IN),
    )
