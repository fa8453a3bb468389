"""What a message of AWS means to the books. Almost none is a bill: alerts repeat costs that are billed.

A bill is what AWS Invoicing calls an invoice summary; whoever publishes one to the topic (a function that calls
ListInvoiceSummaries, as AWS has no notification of its own) gets it recorded.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ledger.domain.event import MAX_TEXT
from ledger.domain.intake import Intake
from ledger.domain.strict_json import InvalidJson, parse_json

SOURCE = "aws"
ACCOUNT = "cloud-aws"
NOON = time(12)
_BUDGET_LINE = re.compile(
    r"(?im)^(Budget Name|Budgeted Amount|Alert Type|(?:ACTUAL|FORECASTED) Amount):[ \t]*(.+?)[ \t]*$"
)
_BUDGET_WORDS = ("aws budget notification", "aws budgets", "budget name:")
# Sources of EventBridge events and why none of them is cash.
_EVENT_SOURCES = {
    "aws.autoscaling": "scaling shows in the bill, and our own in the scaling plans",
    "aws.ec2": "what runs shows in the bill",
    "aws.health": "news about AWS itself",
    "aws.budgets": "an alert is no bill",
    "aws.ce": "an alert is no bill",
    "aws.savingsplans": "commitments show in the bill",
    "aws.cur": "the report itself is imported as a file",
    "aws.bcm-data-exports": "the report itself is imported as a file",
}


class UnreadableMessage(ValueError):
    """A signed message that is none of those we know; the message says how it begins."""


def read_sns_message(*, subject: str, message: str, timezone: ZoneInfo, account: str | None = ACCOUNT) -> Intake:
    """Return what the text of a notification says.

    Args:
        timezone: whose noon the day of a bill means.
        account: that bills are booked to. A cloud account moves no cash: the bank's row does, on the day AWS is
            paid. None is the company's first bank account, for books without a bank feed.

    Raises:
        UnreadableMessage: nobody has told us what this is.
    """
    try:
        content = parse_json(message)
    except InvalidJson:
        return _text(subject, message)
    if isinstance(content, list):
        content = {"InvoiceSummaries": content}
    if not isinstance(content, dict):
        return _text(subject, message)
    invoices = _invoices(content)
    if invoices:
        return Intake(events=tuple(_bill(invoice, timezone, account) for invoice in invoices))
    reason = _reason(content)
    if reason is None:
        raise UnreadableMessage(f"unknown message: {message[:120]!r}")
    return Intake(ignored=reason[:MAX_TEXT])


def _text(subject: str, message: str) -> Intake:
    lowered = f"{subject}\n{message}".lower()
    if any(word in lowered for word in _BUDGET_WORDS):
        stated = "; ".join(f"{name}: {value}" for name, value in _BUDGET_LINE.findall(message))
        return Intake(ignored=f"budget alert, no bill: {stated or subject}"[:MAX_TEXT])
    if "amazon sns" in lowered and "validat" in lowered:
        return Intake(ignored="a test message of AWS")
    raise UnreadableMessage(f"unknown message: {message[:120]!r}")


def _reason(content: Mapping[str, Any]) -> str | None:
    """Why a structured message is no bill; None when we do not know it."""
    if "AlarmName" in content and "NewStateValue" in content:
        trigger = content.get("Trigger")
        metric = trigger.get("Namespace") if isinstance(trigger, dict) else None
        what = "estimated charges, no bill" if metric == "AWS/Billing" else "an alarm, no bill"
        return f"CloudWatch {content.get('AlarmName')}: {content.get('NewStateValue')}: {what}"
    if "anomalyId" in content:
        impact = content.get("impact")
        total = impact.get("totalImpact") if isinstance(impact, dict) else None
        return f"cost anomaly {content['anomalyId']}, total impact {total}: no bill, the costs are in the bill"
    if "budgetName" in content:
        return f"budget alert, no bill: {content['budgetName']}"
    source = content.get("source")
    if isinstance(source, str) and isinstance(content.get("detail-type"), str):
        known = _EVENT_SOURCES.get(source)
        return f"{content['detail-type']}: {known}" if known else None
    if "AutoScalingGroupName" in content or "AutoScalingGroupARN" in content:
        what = content.get("Event") or content.get("LifecycleTransition") or "auto-scaling"
        return f"{what}: {_EVENT_SOURCES['aws.autoscaling']}"
    return _delivered_files(content)


def _delivered_files(content: Mapping[str, Any]) -> str | None:
    if content.get("Event") == "s3:TestEvent":
        return "a test message of AWS"
    records = content.get("Records")
    if not isinstance(records, list):
        return None
    keys = []
    for record in records:
        s3 = record.get("s3") if isinstance(record, dict) else None
        thing = s3.get("object") if isinstance(s3, dict) else None
        if not isinstance(thing, dict) or not isinstance(thing.get("key"), str):
            return None
        keys.append(thing["key"])
    return f"report delivered, to be imported as a file: {', '.join(keys)}" if keys else None


def _invoices(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    detail = content.get("detail")
    for place in (content, detail if isinstance(detail, dict) else {}):
        listed = place.get("InvoiceSummaries")
        if isinstance(listed, list):
            return [invoice for invoice in listed if isinstance(invoice, dict)]
        if "InvoiceId" in place:
            return [place]
    return ()


def _bill(invoice: Mapping[str, Any], timezone: ZoneInfo, account: str | None) -> Mapping[str, object]:
    invoice_id = invoice.get("InvoiceId")
    amount = invoice.get("PaymentCurrencyAmount") or invoice.get("BaseCurrencyAmount")
    if not isinstance(invoice_id, str) or not invoice_id or not isinstance(amount, dict):
        raise UnreadableMessage("an invoice without InvoiceId or PaymentCurrencyAmount")
    stated = amount.get("TotalAmount")
    is_credit = invoice.get("InvoiceType") == "CREDIT_MEMO"
    if is_credit and isinstance(stated, str | Decimal | int) and str(stated).startswith("-"):
        stated = str(stated)[1:]
    period = invoice.get("BillingPeriod")
    period = period if isinstance(period, dict) else {}
    entity = invoice.get("Entity")
    seller = entity.get("InvoicingEntity") if isinstance(entity, dict) else None
    due = invoice.get("IssuedDate") if is_credit else invoice.get("DueDate") or invoice.get("IssuedDate")
    return {
        "source": SOURCE,
        "event_type": "credit" if is_credit else "expense",
        "amount": stated,
        "currency": amount.get("CurrencyCode"),
        "occurred_at": datetime.combine(_day(due), NOON, timezone).isoformat(),
        "account": account,
        "category": "cloud_credit" if is_credit else "cloud",
        "counterparty": str(seller or "AWS")[:MAX_TEXT],
        "external_ref": invoice_id[:MAX_TEXT],
        "metadata": {
            "invoice_type": str(invoice.get("InvoiceType") or "INVOICE")[:64],
            "billing_period": f"{period.get('Year')}-{period.get('Month')}" if period else "",
            "aws_account": str(invoice.get("AccountId") or "")[:64],
        },
    }


def _day(value: object) -> date:
    """A day as AWS writes it: seconds since 1970, or ISO 8601."""
    try:
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            return datetime.fromtimestamp(int(value), UTC).date()
        return date.fromisoformat(str(value)[:10])
    except (ValueError, OverflowError, OSError):
        raise UnreadableMessage("an invoice whose DueDate or IssuedDate is no date") from None
