"""A payroll delivery taken apart: what it names is fetched, as it is now, and read."""

from ledger.domain.intake import Intake
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.providers.payroll_api import PayrollClient, PayrollNotFound
from ledger.providers.payroll_lines import PayrollTerms, read_payroll, taken_back
from ledger.providers.payroll_webhooks import (
    Handshake,
    NeedsPerson,
    Nothing,
    UnreadableWebhook,
    read_webhook,
)


def read_delivery(*, body: bytes, client: PayrollClient, company: str, terms: PayrollTerms) -> Intake:
    """Return what a verified delivery says.

    Args:
        company: the provider's uuid of the company. A subscription covers every company of a partner.

    Raises:
        UnreadableWebhook, UnreadablePayroll, PayrollRefused: a person must look.
        Unavailable: ask again later.
    """
    try:
        content = parse_json(body)
    except InvalidJson as error:
        raise UnreadableWebhook(f"is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise UnreadableWebhook("is no JSON object")
    meaning = read_webhook(content)
    if isinstance(meaning, Nothing):
        return Intake(ignored=meaning.reason)
    if isinstance(meaning, Handshake):
        return Intake(ignored="a handshake: the endpoint has its secret already")
    if isinstance(meaning, NeedsPerson):
        raise UnreadableWebhook(meaning.reason)
    if meaning.company != company.lower():
        return Intake(ignored="a payroll of another company of the provider")
    if meaning.taken_back:
        return taken_back(payroll=meaning.payroll)
    try:
        raw = client.payroll(company=meaning.company, payroll=meaning.payroll)
    except PayrollNotFound:
        return taken_back(payroll=meaning.payroll)
    return read_payroll(raw, payroll=meaning.payroll, terms=terms)
