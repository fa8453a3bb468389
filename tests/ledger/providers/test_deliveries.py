"""Deliveries over real HTTP to stand-ins of Plaid, SNS and a payroll provider: verified, fetched, read."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.domain.intake import Intake
from ledger.providers import aws, plaid_verification, sns_deliveries, sns_fetch
from ledger.providers import payroll as payroll_provider
from ledger.providers.http import Unavailable
from ledger.providers.key_memory import KeyMemory, UnknownKey
from ledger.providers.payroll_lines import taken_back
from ledger.providers.plaid_api import PlaidClient, PlaidRefused
from ledger.providers.plaid_signature import InvalidPlaidSignature
from ledger.providers.provider import Arrival, FetchContext, ParseContext, ProviderUnavailable, Unreadable
from ledger.providers.sns_signature import InvalidSnsMessage
from tests.ledger.providers.outside_server import OutsideServer, Reply
from tests.ledger.providers.payroll_samples import (
    COMPANY,
    PAYROLL,
    SUBSCRIPTION,
    TOKEN,
    payroll,
    payroll_event,
    signature,
)
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


def read_sns(sns: OutsideServer, body: dict[str, Any], settings: Any) -> Intake:
    settings.SNS_LOOPBACK_ORIGIN = sns.url
    given = context(sns)
    parse = ParseContext(
        accounts={"bills": "cloud-aws"},
        settings={"topics": [TOPIC]},
        headers={},
        currency="USD",
        timezone=NEW_YORK,
        received_at=NOW,
    )
    fetched = aws.PROVIDER.fetch(raw(body), replace(given, parse=parse))
    return aws.PROVIDER.parse(raw(body), parse) if fetched is None else fetched.intake


def test_a_subscription_to_our_topic_is_confirmed(sns: OutsideServer, signer: SnsSigner, settings: Any) -> None:
    said = read_sns(sns, signer.subscription(now=NOW), settings)

    assert said == Intake(ignored=f"confirmed the subscription to {TOPIC}")
    (asked,) = sns.asked_for("/")
    assert "Action=ConfirmSubscription" in asked.path


def test_a_subscription_to_another_topic_is_not_even_verified(sns: OutsideServer, signer: SnsSigner) -> None:
    other = "arn:aws:sns:us-east-1:999999999999:other"
    with pytest.raises(InvalidSnsMessage, match="none of those"):
        verify_sns(sns, signer.subscription(now=NOW, TopicArn=other))
    assert sns.asked == []


def test_an_endpoint_without_topics_believes_nothing(sns: OutsideServer, signer: SnsSigner, settings: Any) -> None:
    settings.SNS_LOOPBACK_ORIGIN = sns.url
    for topics, verified in (([TOPIC], True), ([], False), (TOPIC, False), (None, False)):
        came = Arrival(
            raw=raw(signer.sign(now=NOW)),
            headers={},
            secrets=(),
            settings={"topics": topics},
            credentials={},
            now=NOW,
        )
        assert aws.PROVIDER.verify(came).verified is verified


def test_a_confirmation_that_sns_refuses_waits_for_a_person(
    sns: OutsideServer, signer: SnsSigner, settings: Any
) -> None:
    sns.on("/", Reply(403, b""))
    with pytest.raises(Unreadable, match="403"):
        read_sns(sns, signer.subscription(now=NOW), settings)


def test_an_end_of_a_subscription_is_listed_and_its_address_left_alone(
    sns: OutsideServer, signer: SnsSigner, settings: Any
) -> None:
    said = read_sns(sns, signer.subscription(now=NOW, Type="UnsubscribeConfirmation"), settings)

    assert "has ended" in said.ignored
    assert sns.asked_for("/") == []


def test_a_bill_is_read_from_its_message(sns: OutsideServer, signer: SnsSigner, settings: Any) -> None:
    invoice = {
        "InvoiceId": "EUINDE26-1",
        "DueDate": "2026-06-17",
        "PaymentCurrencyAmount": {"TotalAmount": "24240.03", "CurrencyCode": "USD"},
    }

    (event,) = read_sns(sns, signer.sign(now=NOW, Message=json.dumps(invoice)), settings).events

    assert (event["amount"], event["account"]) == ("24240.03", "cloud-aws")


def test_a_message_that_nobody_knows_waits_for_a_person(
    sns: OutsideServer, signer: SnsSigner, settings: Any
) -> None:
    with pytest.raises(Unreadable, match="unknown message"):
        read_sns(sns, signer.sign(now=NOW), settings)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"Type": "Notification"}', b'{"Type":1,"Type":2}'])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidSnsMessage):
        sns_deliveries.verify_delivery(body=body, topics=TOPICS, now=NOW)


# --- Payroll ----------------------------------------------------------------------------------------------

PATH = f"/v1/companies/{COMPANY}/payrolls/{PAYROLL}"
VERIFY_PATH = f"/v1/webhook_subscriptions/{SUBSCRIPTION}/verify"


def context(outside: OutsideServer, **settings: Any) -> FetchContext:
    parse = ParseContext(
        accounts={"pay": "bank"},
        settings={"base_url": outside.url, "company_uuid": COMPANY, **settings},
        headers={},
        currency="USD",
        timezone=NEW_YORK,
        received_at=NOW,
    )
    return FetchContext(parse=parse, cursor={}, credentials={"api_token": "t"}, now=NOW)


def follow(outside: OutsideServer, body: object, **settings: Any) -> Intake:
    """Fetch, and where there is nothing to fetch, parse: as the job does."""
    given = context(outside, **settings)
    content = json.dumps(body).encode()
    fetched = payroll_provider.PROVIDER.fetch(content, given)
    return payroll_provider.PROVIDER.parse(content, given.parse) if fetched is None else fetched.intake


def arrival(body: object, *, secrets: tuple[str, ...], signed: str = "", token: str = "t") -> Arrival:
    return Arrival(
        raw=json.dumps(body).encode(),
        headers={"x-gusto-signature": signed},
        secrets=secrets,
        settings={},
        credentials={"api_token": token} if token else {},
        now=NOW,
    )


def test_a_payroll_is_fetched_and_its_figures_keep_their_digits(outside: OutsideServer) -> None:
    outside.on(PATH, Reply(200, payroll(totals={**payroll()["totals"], "net_pay": 8550.1})))

    said = follow(outside, payroll_event())

    amounts = {str(event["external_ref"]): event["amount"] for event in said.events}
    assert amounts[f"{PAYROLL}:net_pay"] == Decimal("8550.1")
    assert said.said_at == NOW


def test_a_payroll_that_is_gone_is_taken_back(outside: OutsideServer) -> None:
    assert follow(outside, payroll_event()).removed == taken_back(payroll=PAYROLL).removed


def test_a_cancelled_payroll_is_taken_back_as_of_the_event_without_asking(outside: OutsideServer) -> None:
    said = follow(outside, payroll_event("payroll.cancelled"))
    assert said.removed == taken_back(payroll=PAYROLL).removed
    assert said.said_at == datetime.fromtimestamp(1671058841, UTC)
    assert outside.asked == []


def test_a_payroll_of_another_company_is_ignored_without_asking(outside: OutsideServer) -> None:
    said = follow(outside, payroll_event(), company_uuid="00000000-0000-0000-0000-000000000000")
    assert said == Intake(ignored="a payroll of another company of the provider")
    assert outside.asked == []


def test_a_provider_that_is_down_is_asked_again_later(outside: OutsideServer) -> None:
    outside.on(PATH, Reply(503, {}))
    with pytest.raises(ProviderUnavailable):
        follow(outside, payroll_event())


@pytest.mark.parametrize("body", [[], 7, "x", payroll_event("payroll.partially_reversed")])
def test_what_a_person_must_see_is_no_event(outside: OutsideServer, body: object) -> None:
    with pytest.raises(Unreadable):
        follow(outside, body)


@pytest.mark.parametrize("settings", [{"timezone": "Mars/Base"}, {"tax_lag_days": 9}, {"company_uuid": ""}])
def test_wrong_settings_are_named(outside: OutsideServer, settings: dict[str, Any]) -> None:
    outside.on(PATH, Reply(200, payroll()))
    with pytest.raises(Unreadable, match=r"settings|company_uuid"):
        follow(outside, payroll_event(), **settings)


def test_the_providers_word_makes_a_handshakes_token_the_secret(outside: OutsideServer) -> None:
    handshake = {"verification_token": TOKEN, "webhook_subscription_uuid": SUBSCRIPTION}
    assert payroll_provider.PROVIDER.verify(arrival(handshake, secrets=())).verified
    outside.on(VERIFY_PATH, Reply(200, {}))

    said = follow(outside, handshake)

    assert said.signing_secret == TOKEN
    assert TOKEN not in repr(said)
    (asked,) = outside.asked_for(VERIFY_PATH)
    assert (asked.method, asked.json) == ("PUT", {"verification_token": TOKEN})


def test_a_strangers_handshake_makes_no_secret(outside: OutsideServer) -> None:
    outside.on(VERIFY_PATH, Reply(422, {}))
    with pytest.raises(Unreadable, match="does not know the token"):
        follow(outside, {"verification_token": "an-attackers-own-token"}, subscription=SUBSCRIPTION)


def test_an_endpoint_with_a_secret_takes_no_other_handshake() -> None:
    handshake = {"verification_token": "an-attackers-own-token"}
    assert not payroll_provider.PROVIDER.verify(arrival(handshake, secrets=(TOKEN,))).verified


def test_without_a_secret_nothing_but_a_handshake_is_believed() -> None:
    body = payroll_event()
    forged = signature(json.dumps(body).encode(), token="")
    assert not payroll_provider.PROVIDER.verify(arrival(body, secrets=(), signed=forged)).verified
    handshake = {"verification_token": TOKEN}
    assert not payroll_provider.PROVIDER.verify(arrival(handshake, secrets=(), token="")).verified


def test_a_signed_event_is_believed() -> None:
    body = payroll_event()
    signed = signature(json.dumps(body).encode())
    assert payroll_provider.PROVIDER.verify(arrival(body, secrets=("older", TOKEN), signed=signed)).verified
    assert not payroll_provider.PROVIDER.verify(arrival(body, secrets=("older",), signed=signed)).verified
