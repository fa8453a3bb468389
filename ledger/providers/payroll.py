"""Gusto-style payroll: thin signed webhooks; the payroll they name is fetched and split into its lines."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from ledger.domain.currency import ACTIVE_CURRENCIES
from ledger.domain.intake import Intake
from ledger.domain.problems import FieldProblem
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.providers.http import Unavailable
from ledger.providers.payroll_api import PayrollClient, PayrollNotFound, PayrollRefused
from ledger.providers.payroll_lines import (
    USUAL_TAX_LAG_DAYS,
    PayrollTerms,
    UnreadablePayroll,
    read_payroll,
    taken_back,
)
from ledger.providers.payroll_webhooks import (
    Handshake,
    InvalidPayrollSignature,
    Meaning,
    NeedsPerson,
    Nothing,
    PayrollChanged,
    UnreadableWebhook,
    read_handshake,
    read_webhook,
    verify_payroll,
)
from ledger.providers.provider import (
    VERIFIED,
    Arrival,
    FetchContext,
    Fetched,
    ParseContext,
    Provider,
    ProviderUnavailable,
    Unreadable,
    Verdict,
    refused,
)

SIGNATURE = "x-gusto-signature"


def verify(arrival: Arrival) -> Verdict:
    """Believe what is signed with a secret of the endpoint, and while it has none, a handshake to look into."""
    if not arrival.secrets:
        if _handshake(arrival.raw) is None:
            return refused("the endpoint has no secret yet: only a handshake is taken")
        if not arrival.credentials.get("api_token"):
            return refused("a handshake can only be confirmed with the endpoint's api_token")
        return VERIFIED
    try:
        verify_payroll(body=arrival.raw, signature=arrival.headers.get(SIGNATURE, ""), secrets=arrival.secrets)
    except InvalidPayrollSignature as error:
        return refused(str(error))
    return VERIFIED


def parse(raw: bytes, context: ParseContext) -> Intake:
    """Return what a delivery says without its payroll being fetched."""
    meaning = _meaning(raw)
    if isinstance(meaning, Nothing):
        return Intake(ignored=meaning.reason)
    if isinstance(meaning, NeedsPerson):
        raise Unreadable(meaning.reason)
    if isinstance(meaning, Handshake):
        return Intake(ignored="a handshake: the endpoint has its secret already")
    if meaning.company != _own_company(context):
        return Intake(ignored="a payroll of another company of the provider")
    if not meaning.taken_back:
        raise Unreadable("the payroll must be fetched")
    gone = taken_back(payroll=meaning.payroll)
    return Intake(removed=gone.removed, said_at=_said_at(raw))


def fetch(raw: bytes, context: FetchContext) -> Fetched | None:
    """Return the payroll that a delivery names as it is now; let the provider confirm a handshake."""
    meaning = _meaning(raw)
    client = PayrollClient(
        base_url=str(context.parse.settings.get("base_url") or settings.PAYROLL_BASE_URL),
        token=context.credentials.get("api_token", ""),
    )
    try:
        if isinstance(meaning, Handshake):
            return _confirmed(meaning, client, context)
        if not isinstance(meaning, PayrollChanged) or meaning.taken_back:
            return None
        if meaning.company != _own_company(context.parse):
            return None
        try:
            answer = client.payroll(company=meaning.company, payroll=meaning.payroll)
        except PayrollNotFound:
            gone = taken_back(payroll=meaning.payroll)
            return Fetched(Intake(removed=gone.removed, said_at=context.now), context.cursor)
        said = read_payroll(answer, payroll=meaning.payroll, terms=_terms(context.parse))
    except Unavailable as error:
        raise ProviderUnavailable(str(error)) from error
    except (PayrollRefused, UnreadablePayroll) as error:
        raise Unreadable(str(error)) from None
    # Figures are those of now, whichever delivery led to them.
    return Fetched(Intake(events=said.events, removed=said.removed, said_at=context.now), context.cursor)


def _confirmed(handshake: Handshake, client: PayrollClient, context: FetchContext) -> Fetched | None:
    """Whoever knows the address can send a token; only the provider knows whether it is its own."""
    if context.cursor.get("subscription"):
        return None
    subscription = handshake.subscription or str(context.parse.settings.get("subscription") or "")
    if not subscription:
        raise Unreadable("the handshake names no subscription, and neither do the endpoint's settings")
    if not client.accept_handshake(subscription=subscription, token=handshake.token):
        raise Unreadable("the provider does not know the token of this handshake")
    return Fetched(
        Intake(ignored="the provider confirmed the subscription", signing_secret=handshake.token),
        {**context.cursor, "subscription": subscription},
    )


def _content(raw: bytes) -> dict[str, Any]:
    try:
        content = parse_json(raw)
    except InvalidJson as error:
        raise Unreadable(f"is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise Unreadable("is no JSON object")
    return content


def _handshake(raw: bytes) -> Handshake | None:
    try:
        return read_handshake(_content(raw))
    except Unreadable:
        return None


def _meaning(raw: bytes) -> Meaning:
    try:
        return read_webhook(_content(raw))
    except UnreadableWebhook as error:
        raise Unreadable(str(error)) from None


def _said_at(raw: bytes) -> datetime | None:
    timestamp = _content(raw).get("timestamp")
    if isinstance(timestamp, int) and not isinstance(timestamp, bool) and 0 < timestamp < 10**11:
        return datetime.fromtimestamp(timestamp, UTC)
    return None


def _own_company(context: ParseContext) -> str:
    company = context.settings.get("company_uuid")
    if not isinstance(company, str) or not company:
        raise Unreadable("the endpoint's setting company_uuid is not set: a subscription covers many companies")
    return company.lower()


def _terms(context: ParseContext) -> PayrollTerms:
    stated = context.settings
    try:
        zone = ZoneInfo(str(stated["timezone"])) if stated.get("timezone") else context.timezone
        return PayrollTerms(
            timezone=zone,
            currency=str(stated.get("currency") or context.currency),
            account=context.accounts["pay"],
            funded_from_bank=stated.get("funded_from_bank") is True,
            tax_lag_days=int(stated.get("tax_lag_days") or USUAL_TAX_LAG_DAYS),
        )
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Unreadable(f"the endpoint's settings: {error}") from None


_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MACHINE_ITSELF = frozenset({"127.0.0.1", "localhost"})
# Employers deposit withheld tax within days; a quarter is the longest any of them may wait.
MAX_TAX_LAG_DAYS = 92


def problems(stated: Mapping[str, Any], _credentials: Mapping[str, str]) -> Iterator[FieldProblem]:
    """What is wrong with the settings of an endpoint."""
    if _UUID.fullmatch(stated["company_uuid"]) is None:
        message = "must be the company's UUID at the provider: a subscription covers many companies"
        yield FieldProblem("settings.company_uuid", message)
    if stated["subscription"] and _UUID.fullmatch(stated["subscription"]) is None:
        yield FieldProblem("settings.subscription", "must be the UUID of the webhook subscription, or empty")
    if stated["base_url"] and not _is_base_url(stated["base_url"]):
        message = "must be an address like https://api.gusto.com, without query; plain http only on this machine"
        yield FieldProblem("settings.base_url", message)
    if stated["timezone"] and not _is_timezone(stated["timezone"]):
        yield FieldProblem("settings.timezone", "must be a time zone like America/New_York, or empty")
    if stated["currency"] and stated["currency"] not in ACTIVE_CURRENCIES:
        yield FieldProblem("settings.currency", "must be a currency code of ISO 4217, or empty for the company's")
    if not 0 <= stated["tax_lag_days"] <= MAX_TAX_LAG_DAYS:
        yield FieldProblem("settings.tax_lag_days", f"must be from 0 to {MAX_TAX_LAG_DAYS}")


def _is_base_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _MACHINE_ITSELF)
    # A name and password in an address would show in logs.
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    return secure and bool(host) and plain and text.isascii() and text.isprintable() and " " not in text


def _is_timezone(text: str) -> bool:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


PROVIDER = Provider(
    name="payroll",
    label="Payroll (Gusto)",
    safe_headers=frozenset(),
    verify=verify,
    parse=parse,
    stable_ids=True,
    accounts={"pay": "bank"},
    settings={
        "company_uuid": "",
        "subscription": "",
        "base_url": "",
        "timezone": "",
        "currency": "",
        "tax_lag_days": USUAL_TAX_LAG_DAYS,
        "funded_from_bank": False,
    },
    credentials={"api_token": "API token, to fetch payrolls and confirm the subscription"},
    problems=problems,
    fetch=fetch,
)
