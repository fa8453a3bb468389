"""One run of payroll as capital events: what leaves on pay day, and the taxes that leave days later."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ledger.domain.business_day import business_day_on_or_after
from ledger.domain.intake import Intake, ObjectKey
from ledger.domain.money import InvalidAmount, parse_amount

SOURCE = "payroll"
# What a payroll may consist of, by the last part of its external_ref. A line that a run has no more is taken back.
LINES = ("net_pay", "reimbursements", "deductions", "benefits", "employee_taxes", "employer_taxes", "funding")
LEAST_TAX_LAG_DAYS, MOST_TAX_LAG_DAYS, USUAL_TAX_LAG_DAYS = 3, 7, 5
NOON = time(12)
ZERO = Decimal(0)


class UnreadablePayroll(ValueError):
    """A payroll whose figures or days are missing or contradict each other; the message names the field."""


@dataclass(frozen=True, slots=True)
class PayrollTerms:
    """How a company's payroll reaches its accounts.

    Attributes:
        account: which pays the lines; None is the company's first bank account.
        funded_from_bank: the account is the provider's clearing account: what it pulls from the bank before pay
            day arrives there as a transfer, and the lines leave from there, so that the same pull in a bank feed
            counts once. Benefits are then left to the bank feed: insurers are paid from the bank.
        timezone: whose noon a date means.
        currency: where the payroll names none.
        tax_lag_days: calendar days from pay day to the taxes where the payroll names no day, 3 to 7.
    """

    timezone: ZoneInfo
    currency: str
    account: str | None = None
    funded_from_bank: bool = False
    tax_lag_days: int = USUAL_TAX_LAG_DAYS

    def __post_init__(self) -> None:
        if not LEAST_TAX_LAG_DAYS <= self.tax_lag_days <= MOST_TAX_LAG_DAYS:
            raise ValueError(f"tax_lag_days must lie from {LEAST_TAX_LAG_DAYS} to {MOST_TAX_LAG_DAYS}")


def taken_back(*, payroll: str) -> Intake:
    """Return what a cancelled or reversed payroll says: none of its lines stands."""
    return Intake(removed=tuple(_key(payroll, line) for line in LINES))


def read_payroll(raw: Mapping[str, Any], *, payroll: str, terms: PayrollTerms) -> Intake:
    """Return what a fetched payroll says.

    Every line is either an event or removed, so that a payroll that changed is corrected as a whole. One that is
    not processed (any more) has no line. Paid outside the provider (`external`), it is left to the bank feed.

    Args:
        raw: the provider's answer, as `parse_json` reads it.
        payroll: its uuid, as asked for.

    Raises:
        UnreadablePayroll: any doubt about a figure or a day.
    """
    stated = raw.get("payroll_uuid") or raw.get("uuid")
    if not isinstance(stated, str) or stated.lower() != payroll:
        raise UnreadablePayroll("uuid is not the one that was asked for")
    if raw.get("processed") is not True or raw.get("external") is True:
        return taken_back(payroll=payroll)
    currency = raw.get("currency") or terms.currency
    pay_day = _day(raw.get("check_date"), "check_date")
    figures = _Figures(raw)
    tax_day = _tax_day(raw, pay_day, str(currency), terms)
    gross, net = figures.total("gross_pay"), figures.total("net_pay")
    withheld, employer = figures.total("employee_taxes"), figures.total("employer_taxes")
    if gross is None or net is None or withheld is None or employer is None:
        raise UnreadablePayroll("totals lack gross_pay, net_pay, employee_taxes or employer_taxes")
    if net > gross:
        raise UnreadablePayroll("totals.net_pay is above totals.gross_pay")
    reimbursed = figures.total("reimbursements") or figures.total("reimbursement_debit") or ZERO
    child_support = figures.total("child_support_debit") or ZERO
    # Child support is a deduction; some answers state it in its own figure only.
    deducted = max(figures.total("other_deductions") or ZERO, child_support)
    benefits = (figures.total("benefits") or ZERO) + (figures.total("employee_benefits_deductions") or ZERO)
    if terms.funded_from_bank:
        # Paper cheques, insurers and other garnishments are paid from the bank, whose feed shows them.
        pulled = figures.total("net_pay_debit")
        net = net if pulled is None else pulled
        deducted, benefits = child_support, ZERO
    period = raw.get("pay_period")
    said: dict[str, object] = {"payroll": payroll, "gross": str(gross), "check_date": pay_day.isoformat()}
    if isinstance(period, dict):
        said |= {name: period[name] for name in ("start_date", "end_date") if isinstance(period.get(name), str)}
    lines = {
        "net_pay": (net, pay_day, "payroll", "Employees"),
        "reimbursements": (reimbursed, pay_day, "reimbursement", "Employees"),
        "deductions": (deducted, pay_day, "payroll", "Garnishments"),
        "benefits": (benefits, tax_day, "benefits", "Benefit providers"),
        "employee_taxes": (withheld, tax_day, "payroll_tax", "Tax agencies"),
        "employer_taxes": (employer, tax_day, "payroll_tax", "Tax agencies"),
    }
    events: list[Mapping[str, object]] = [
        _event(
            payroll, line, amount, day, currency, terms, category=category, counterparty=counterparty, said=said
        )
        for line, (amount, day, category, counterparty) in lines.items()
        if amount
    ]
    if terms.funded_from_bank:
        events.append(_funding(raw, payroll, events, pay_day, currency, terms, said))
    standing = {event["external_ref"] for event in events}
    keys = (_key(payroll, line) for line in LINES)
    return Intake(events=tuple(events), removed=tuple(key for key in keys if key.external_ref not in standing))


def _key(payroll: str, line: str) -> ObjectKey:
    return ObjectKey(source=SOURCE, external_ref=f"{payroll}:{line}")


def _event(
    payroll: str,
    line: str,
    amount: Decimal,
    day: date,
    currency: object,
    terms: PayrollTerms,
    *,
    category: str,
    counterparty: str,
    said: Mapping[str, object],
) -> dict[str, object]:
    return {
        "source": SOURCE,
        "event_type": "expense",
        "amount": amount,
        "currency": currency,
        "occurred_at": datetime.combine(day, NOON, terms.timezone).isoformat(),
        "account": terms.account,
        "category": category,
        "counterparty": counterparty,
        "external_ref": f"{payroll}:{line}",
        "metadata": {"line": line, **said},
    }


def _funding(
    raw: Mapping[str, Any],
    payroll: str,
    events: list[Mapping[str, object]],
    pay_day: date,
    currency: object,
    terms: PayrollTerms,
    said: Mapping[str, object],
) -> Mapping[str, object]:
    """What the provider pulled: exactly what it will pay out, so that the clearing account returns to zero."""
    pulled = sum((Decimal(str(event["amount"])) for event in events), ZERO)
    day = _debit_day(raw, terms) or pay_day
    event = _event(
        payroll,
        "funding",
        pulled,
        day,
        currency,
        terms,
        category="payroll",
        counterparty="Payroll provider",
        said=said,
    )
    return event | {"event_type": "transfer", "direction": "in"}


def _tax_day(raw: Mapping[str, Any], pay_day: date, currency: str, terms: PayrollTerms) -> date:
    """The day the payroll names for its taxes, else the lag, moved to a day on which banks work."""
    stated = raw.get("tax_debit_date")
    if stated is not None:
        day = _day(stated, "tax_debit_date")
        if not timedelta(0) <= day - pay_day <= timedelta(days=45):
            raise UnreadablePayroll("tax_debit_date lies before check_date or more than 45 days after it")
        return day
    return business_day_on_or_after(pay_day + timedelta(days=terms.tax_lag_days), currency=currency)


def _debit_day(raw: Mapping[str, Any], terms: PayrollTerms) -> date | None:
    if raw.get("debit_date") is not None:
        return _day(raw["debit_date"], "debit_date")
    meta = raw.get("payroll_status_meta")
    stated = meta.get("expected_debit_time") if isinstance(meta, dict) else None
    if stated is None:
        return None
    try:
        instant = datetime.fromisoformat(str(stated))
    except ValueError:
        raise UnreadablePayroll("payroll_status_meta.expected_debit_time is no time") from None
    # Naive times are those of the payroll's own zone.
    return instant.date() if instant.tzinfo is None else instant.astimezone(terms.timezone).date()


def _day(value: object, field: str) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise UnreadablePayroll(f"{field} is no date") from None


class _Figures:
    """Totals of a payroll, or where one is missing, the sum over its employees."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        totals = raw.get("totals")
        self._totals: Mapping[str, Any] = totals if isinstance(totals, dict) else {}
        people = raw.get("employee_compensations")
        self._people = (
            [person for person in people if isinstance(person, dict)] if isinstance(people, list) else []
        )
        # People left out of a run stay listed.
        self._people = [person for person in self._people if person.get("excluded") is not True]

    def total(self, name: str) -> Decimal | None:
        if self._totals.get(name) is not None:
            return _figure(self._totals[name], f"totals.{name}")
        if not self._people:
            return None
        if name in ("employee_taxes", "employer_taxes"):
            return self._taxes(employer=name == "employer_taxes")
        stated = [person[name] for person in self._people if person.get(name) is not None]
        if not stated:
            return None
        return sum((_figure(value, f"employee_compensations.{name}") for value in stated), ZERO)

    def _taxes(self, *, employer: bool) -> Decimal | None:
        lists = [person["taxes"] for person in self._people if isinstance(person.get("taxes"), list)]
        if not lists:
            return None
        mine = [
            tax for taxes in lists for tax in taxes if isinstance(tax, dict) and tax.get("employer") is employer
        ]
        return sum((_figure(tax.get("amount"), "employee_compensations.taxes.amount") for tax in mine), ZERO)


def _figure(value: object, field: str) -> Decimal:
    if value in (0, "0", "0.0", "0.00", "0.000000"):
        return ZERO
    try:
        return parse_amount(value)
    except InvalidAmount as error:
        raise UnreadablePayroll(f"{field} {error}") from None
