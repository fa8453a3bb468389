"""Deliveries over real HTTP to stand-ins of Plaid, SNS and a payroll provider: verified, fetched, read."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.domain.intake import Intake
from ledger.providers import payroll_deliveries, plaid_verification, sns_deliveries, sns_fetch
from ledger.providers.http import Unavailable
from ledger.providers.key_memory import KeyMemory, UnknownKey
from ledger.providers.payroll_api import PayrollClient
from ledger.providers.payroll_lines import PayrollTerms, taken_back
from ledger.providers.payroll_webhooks import UnreadableWebhook
from ledger.providers.plaid_api import PlaidClient, PlaidRefused
from ledger.providers.plaid_signature import InvalidPlaidSignature
from ledger.providers.sns_fetch import SnsRefused
from ledger.providers.sns_signature import InvalidSnsMessage
from tests.ledger.providers.outside_server import OutsideServer, Reply
from tests.ledger.providers.payroll_samples import COMPANY, PAYROLL, payroll, payroll_event
from tests.ledger.providers.plaid_server import CLIENT_ID, SECRET, PlaidServer, plaid_error
from tests.ledger.providers.plaid_signer import PlaidSigner
from tests.ledger.providers.sns_signer import CERTIFICATE_PATH, TOPIC, SnsSigner, raw

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
TOPICS = frozenset({TOPIC})
BODY = b'{"webhook_type":"TRANSACTIONS","webhook_code":"SYNC_UPDATES_AVAILABLE","item_id":"i"}'


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plaid_verification, "_keys", KeyMemory())
    monkeypatch.setattr(sns_fetch, "_keys", KeyMemory())


# --- Plaid ------------------------------------------------------------------------------------------------


@pytest.fixture
def plaid(outside: OutsideServer) -> PlaidServer:
    return PlaidServer(outside)


def verify_plaid(plaid: PlaidServer, token: str) -> None:
    client = PlaidClient(base_url=plaid.url, client_id=CLIENT_ID, secret=SECRET)
    plaid_verification.verify_delivery(body=BODY, token=token, client=client, now=NOW)


def test_plaids_key_is_fetched_once_for_many_deliveries(plaid: PlaidServer) -> None:
    signer = PlaidSigner()
    plaid.keys[signer.kid] = signer.jwk

    for _ in range(3):
        verify_plaid(plaid, signer.sign(BODY, now=NOW))

    (asked,) = plaid.outside.asked_for("/webhook_verification_key/get")
    assert asked.json == {"key_id": signer.kid}


def test_a_rotated_key_of_plaid_is_refused(plaid: PlaidServer) -> None:
    signer = PlaidSigner()
    plaid.keys[signer.kid] = {**signer.jwk, "expired_at": 1560466150}
    with pytest.raises(UnknownKey):
        verify_plaid(plaid, signer.sign(BODY, now=NOW))


def test_a_key_that_plaid_does_not_know_is_refused_and_not_asked_for_again(plaid: PlaidServer) -> None:
    signer = PlaidSigner(kid="invented")
    for _ in range(3):
        with pytest.raises(UnknownKey):
            verify_plaid(plaid, signer.sign(BODY, now=NOW))
    assert len(plaid.outside.asked_for("/webhook_verification_key/get")) == 1


def test_a_token_of_another_algorithm_costs_plaid_nothing(plaid: PlaidServer) -> None:
    import jwt

    token = jwt.encode({"iat": 1}, "secret" * 8, algorithm="HS256", headers={"kid": "k"})
    with pytest.raises(InvalidPlaidSignature):
        verify_plaid(plaid, token)
    assert plaid.outside.asked == []


def test_whether_plaid_signed_cannot_be_told_while_plaid_is_down(plaid: PlaidServer) -> None:
    signer = PlaidSigner()
    plaid.outside.on("/webhook_verification_key/get", Reply(503, {}))
    with pytest.raises(Unavailable):
        verify_plaid(plaid, signer.sign(BODY, now=NOW))
    plaid.keys[signer.kid] = signer.jwk
    plaid.outside.on("/webhook_verification_key/get", plaid.key)
    verify_plaid(plaid, signer.sign(BODY, now=NOW))


def test_our_own_wrong_credentials_are_not_taken_for_an_unknown_key(plaid: PlaidServer) -> None:
    plaid.outside.on("/webhook_verification_key/get", plaid_error("INVALID_API_KEYS", "INVALID_INPUT"))
    with pytest.raises(PlaidRefused, match="INVALID_API_KEYS"):
        verify_plaid(plaid, PlaidSigner().sign(BODY, now=NOW))


# --- SNS --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signer() -> SnsSigner:
    return SnsSigner(now=NOW)


@pytest.fixture
def sns(outside: OutsideServer, signer: SnsSigner) -> OutsideServer:
    outside.on(CERTIFICATE_PATH, Reply(200, signer.pem))
    outside.on("/", Reply(200, b"<ConfirmSubscriptionResponse/>"))
    return outside


def verify_sns(sns: OutsideServer, body: dict[str, Any]) -> None:
    sns_deliveries.verify_delivery(body=raw(body), topics=TOPICS, now=NOW, loopback_origin=sns.url)


def test_the_certificate_is_fetched_once_for_many_messages(sns: OutsideServer, signer: SnsSigner) -> None:
    for number in range(3):
        verify_sns(sns, signer.sign(now=NOW, Message=f"number {number}"))
    assert len(sns.asked_for(CERTIFICATE_PATH)) == 1


def test_a_certificate_that_is_gone_or_none_is_refused(sns: OutsideServer, signer: SnsSigner) -> None:
    for reply in (Reply(404, b""), Reply(200, b"<html>")):
        sns.on(CERTIFICATE_PATH, reply)
        with pytest.raises(UnknownKey):
            verify_sns(sns, signer.sign(now=NOW))


def test_the_stand_in_does_not_weaken_where_certificates_may_lie(sns: OutsideServer, signer: SnsSigner) -> None:
    for url in (f"{sns.url}{CERTIFICATE_PATH}", f"https://evil.example{CERTIFICATE_PATH}"):
        with pytest.raises(InvalidSnsMessage):
            verify_sns(sns, signer.sign(now=NOW, SigningCertURL=url))
    assert sns.asked == []


def test_a_subscription_to_our_topic_is_confirmed(sns: OutsideServer, signer: SnsSigner) -> None:
    body = signer.subscription(now=NOW)
    verify_sns(sns, body)

    said = sns_deliveries.read_delivery(body=raw(body), timezone=NEW_YORK, loopback_origin=sns.url)

    assert said == Intake(ignored=f"confirmed the subscription to {TOPIC}")
    (asked,) = sns.asked_for("/")
    assert "Action=ConfirmSubscription" in asked.path


def test_a_subscription_to_another_topic_is_not_even_verified(sns: OutsideServer, signer: SnsSigner) -> None:
    other = "arn:aws:sns:us-east-1:999999999999:other"
    with pytest.raises(InvalidSnsMessage, match="none of those"):
        verify_sns(sns, signer.subscription(now=NOW, TopicArn=other))
    assert sns.asked == []


def test_a_confirmation_that_sns_refuses_waits_for_a_person(sns: OutsideServer, signer: SnsSigner) -> None:
    sns.on("/", Reply(403, b""))
    with pytest.raises(SnsRefused, match="403"):
        sns_deliveries.read_delivery(
            body=raw(signer.subscription(now=NOW)), timezone=NEW_YORK, loopback_origin=sns.url
        )


def test_an_end_of_a_subscription_is_listed_and_its_address_left_alone(
    sns: OutsideServer, signer: SnsSigner
) -> None:
    body = signer.subscription(now=NOW, Type="UnsubscribeConfirmation")
    verify_sns(sns, body)

    said = sns_deliveries.read_delivery(body=raw(body), timezone=NEW_YORK, loopback_origin=sns.url)

    assert "has ended" in said.ignored
    assert sns.asked_for("/") == []


def test_a_bill_is_read_from_its_message(sns: OutsideServer, signer: SnsSigner) -> None:
    invoice = {
        "InvoiceId": "EUINDE26-1",
        "DueDate": "2026-06-17",
        "PaymentCurrencyAmount": {"TotalAmount": "24240.03", "CurrencyCode": "USD"},
    }
    body = signer.sign(now=NOW, Message=json.dumps(invoice))
    verify_sns(sns, body)

    (event,) = sns_deliveries.read_delivery(body=raw(body), timezone=NEW_YORK).events

    assert event["amount"] == "24240.03"


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"Type": "Notification"}', b'{"Type":1,"Type":2}'])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidSnsMessage):
        sns_deliveries.verify_delivery(body=body, topics=TOPICS, now=NOW)


# --- Payroll ----------------------------------------------------------------------------------------------

TERMS = PayrollTerms(timezone=NEW_YORK, currency="USD")
PATH = f"/v1/companies/{COMPANY}/payrolls/{PAYROLL}"


def read_payroll(outside: OutsideServer, body: object, *, company: str = COMPANY) -> Intake:
    return payroll_deliveries.read_delivery(
        body=json.dumps(body).encode(),
        client=PayrollClient(base_url=outside.url, token="t"),
        company=company,
        terms=TERMS,
    )


def test_a_payroll_is_fetched_and_its_figures_keep_their_digits(outside: OutsideServer) -> None:
    raw_payroll = payroll(totals={**payroll()["totals"], "net_pay": 8550.1})
    outside.on(PATH, Reply(200, raw_payroll))

    said = read_payroll(outside, payroll_event())

    assert {str(event["external_ref"]): event["amount"] for event in said.events}[f"{PAYROLL}:net_pay"] == Decimal(
        "8550.1"
    )


def test_a_payroll_that_is_gone_is_taken_back(outside: OutsideServer) -> None:
    assert read_payroll(outside, payroll_event()) == taken_back(payroll=PAYROLL)


def test_a_cancelled_payroll_is_taken_back_without_asking(outside: OutsideServer) -> None:
    assert read_payroll(outside, payroll_event("payroll.cancelled")) == taken_back(payroll=PAYROLL)
    assert outside.asked == []


def test_a_payroll_of_another_company_is_ignored_without_asking(outside: OutsideServer) -> None:
    said = read_payroll(outside, payroll_event(), company="00000000-0000-0000-0000-000000000000")
    assert said == Intake(ignored="a payroll of another company of the provider")
    assert outside.asked == []


def test_a_provider_that_is_down_is_asked_again_later(outside: OutsideServer) -> None:
    outside.on(PATH, Reply(503, {}))
    with pytest.raises(Unavailable):
        read_payroll(outside, payroll_event())


@pytest.mark.parametrize("body", [[], 7, "x", payroll_event("payroll.partially_reversed")])
def test_what_a_person_must_see_is_no_event(outside: OutsideServer, body: object) -> None:
    with pytest.raises(UnreadableWebhook):
        read_payroll(outside, body)
