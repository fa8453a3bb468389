"""What a stored forecast knew, put together again from journal, statements and the plan's version it names."""

from decimal import Decimal

from django.db.models.fields.json import KT

from forecasting.closing_balances import CHART_DAYS
from forecasting.fit.history import CompanyHistory
from forecasting.fit.plan import CloudCredit, PlanDocument, parse_plan
from forecasting.models.run import Basis, ForecastRun
from forecasting.outcome import UNCALIBRATED, Calibration
from forecasting.services.history import rates_of_day
from ledger.domain.company import CompanyRef
from ledger.selectors.balances import cash_by_currency, credit_grants
from ledger.selectors.liabilities import liabilities
from ledger.selectors.past_flows import flows_known_to


def known_to(*, run: ForecastRun, company: CompanyRef) -> CompanyHistory | None:
    """The company as a run saw it; None when the bank balance it saw is not stored any more.

    Flows end at the run's journal position; cash in the base currency is what makes the balance in bank the one
    that was published, whatever was stated since. Rates, credits, liabilities and balances in other currencies
    are those of the run's day as they are known now: where that differs from then, comparing names it ("the past,
    read again").

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first.

    Raises:
        MissingInputs: a currency has no rate.
    """
    balance = _bank_balance(run)
    if balance is None:
        return None
    plan = parse_plan(run.plan.document) if run.plan is not None else PlanDocument()
    flows = flows_known_to(company_id=company.id, until=run.as_of, position=run.position)
    cash = cash_by_currency(company_id=company.id, at=run.as_of)
    rates = rates_of_day(company=company, on=run.as_of, flows=flows, cash=cash, plan=plan)
    abroad = {currency: amount for currency, amount in cash.items() if currency != company.base_currency}
    valued = sum((amount * rates[currency] for currency, amount in abroad.items()), Decimal(0))
    return CompanyHistory(
        as_of=run.as_of,
        base_currency=company.base_currency,
        flows=flows,
        cash=abroad | {company.base_currency: balance - valued},
        rates=rates,
        plan=plan,
        grants=tuple(
            CloudCredit(provider=grant.provider, remaining=grant.remaining, expires=grant.expires_on)
            for grant in credit_grants(company_id=company.id, at=run.as_of)
        ),
        timezone=company.timezone,
        company=company.slug,
        calibration=_calibration(run),
        liabilities=liabilities(
            company_id=company.id, timezone=company.timezone, at=run.as_of, days=CHART_DAYS + 1
        ),
    )


def _calibration(run: ForecastRun) -> Calibration:
    """What the run itself says it rested on; runs of before there were calibrations say nothing."""
    said = run.result.get("calibration")
    if said is None:
        return UNCALIBRATED
    return Calibration(state=said["state"], dispersion=said["dispersion"], windows=said["windows"])


def _bank_balance(run: ForecastRun) -> Decimal | None:
    """The balance in bank that the run started from: its own, or that of its sister on the other basis."""
    if run.basis == Basis.BANK:
        return Decimal(run.result["balance"])
    balance = (
        ForecastRun.objects.filter(
            company_id=run.company_id,
            basis=Basis.BANK,
            as_of=run.as_of,
            position=run.position,
            plan_id=run.plan_id,  # type: ignore[misc]  # null is a value of the key too
            history_digest=run.history_digest,
            engine_version=run.engine_version,
        )
        # By its name alone, Django catches an error of its own on the way, whose frames hold all that callers hold
        # until the collector comes by: some ten megabytes each time.
        .values_list(KT("result__balance"), flat=True)
        .first()
    )
    return None if balance is None else Decimal(balance)
