"""SNS messages: who signed them, for which topic, when; and what they mean to the books."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ledger.domain.event import parse_event
from ledger.domain.intake import Intake
from ledger.domain.strict_json import parse_json
from ledger.providers.sns_messages import UnreadableMessage, read_sns_message
from ledger.providers.sns_signature import (
    InvalidSnsMessage,
    certificate_key,
    check_certificate_url,
    check_subscribe_url,
    read_message,
    string_to_sign,
    verify_sns,
)
from tests.ledger.providers.sns_signer import (
    SUBSCRIBE_URL,
    TOPIC,
    SnsSigner,
    certificate,
)

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TOPICS = frozenset({TOPIC})
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def signer() -> SnsSigner:
    return SnsSigner(now=NOW)


def verify(signer: SnsSigner, body: dict[str, Any], **changes: Any) -> None:
    def key_at(url: str) -> rsa.RSAPublicKey:
        assert url.startswith("https://sns.us-east-1.amazonaws.com/")
        key = certificate_key(signer.pem, now=NOW)
        assert key is not None
        return key

    verify_sns(read_message(body), **{"topics": TOPICS, "key_at": key_at, "now": NOW, **changes})


# --- Signature --------------------------------------------------------------------------------------------


def test_it_accepts_what_sns_signed(signer: SnsSigner) -> None:
    verify(signer, signer.sign(now=NOW))
    verify(signer, signer.sign(now=NOW, Subject="AWS Budgets: 80 %", Message="Zeile 1\nZeile 2 €"))
    verify(signer, signer.subscription(now=NOW))


def test_the_signed_text_is_the_documented_one() -> None:
    """The string of AWS's developer guide for its own example."""
    message = read_message(
        {
            "Type": "Notification",
            "MessageId": "4d4dc071-ddbf-465d-bba8-08f81c89da64",
            "TopicArn": "arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P",
            "Subject": "My subject",
            "Message": "My Test Message",
            "Timestamp": "2019-01-31T04:37:04.321Z",
        }
    )

    assert string_to_sign(message).decode() == (
        "Message\nMy Test Message\nMessageId\n4d4dc071-ddbf-465d-bba8-08f81c89da64\nSubject\nMy subject\n"
        "Timestamp\n2019-01-31T04:37:04.321Z\nTopicArn\n"
        "arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P\nType\nNotification\n"
    )


@pytest.mark.parametrize("field", ["Message", "MessageId", "Subject"])
def test_it_refuses_a_changed_field(signer: SnsSigner, field: str) -> None:
    body = signer.sign(now=NOW, Subject="s")
    with pytest.raises(InvalidSnsMessage, match="does not fit"):
        verify(signer, {**body, field: "changed"})


def test_it_refuses_another_key(signer: SnsSigner) -> None:
    with pytest.raises(InvalidSnsMessage, match="does not fit"):
        verify(signer, SnsSigner(now=NOW).sign(now=NOW))


def test_it_refuses_a_topic_that_is_not_ours_before_any_certificate_is_fetched(signer: SnsSigner) -> None:
    def key_at(url: str) -> rsa.RSAPublicKey:
        raise AssertionError("asked for a certificate")

    foreign = "arn:aws:sns:us-east-1:999999999999:billing"
    with pytest.raises(InvalidSnsMessage, match="none of those"):
        verify(signer, signer.sign(now=NOW, TopicArn=foreign), key_at=key_at)


def test_it_refuses_sha1_unless_the_operator_allows_it(signer: SnsSigner) -> None:
    body = signer.sign(now=NOW, SignatureVersion="1")
    with pytest.raises(InvalidSnsMessage, match="SignatureVersion"):
        verify(signer, body)
    verify(signer, body, allow_version_1=True)


@pytest.mark.parametrize("version", ["", "3", "2.0"])
def test_it_refuses_an_unknown_version(signer: SnsSigner, version: str) -> None:
    with pytest.raises(InvalidSnsMessage, match="SignatureVersion"):
        verify(signer, signer.sign(now=NOW, SignatureVersion=version), allow_version_1=True)


@pytest.mark.parametrize("age", [timedelta(minutes=59), timedelta(minutes=-4)])
def test_it_accepts_repeats_within_an_hour(signer: SnsSigner, age: timedelta) -> None:
    verify(signer, signer.sign(now=NOW - age))


@pytest.mark.parametrize("age", [timedelta(minutes=61), timedelta(minutes=-6), timedelta(days=400)])
def test_it_refuses_old_and_future_messages(signer: SnsSigner, age: timedelta) -> None:
    with pytest.raises(InvalidSnsMessage, match="Timestamp"):
        verify(signer, signer.sign(now=NOW - age))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/a.pem",
        "https://evil.example#@sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com:8443/a.pem",
        "https://sns.us-east-1.amazonaws.com:port/a.pem",
        "https://s3.us-east-1.amazonaws.com/bucket/a.pem",
        "https://sns-us-east-1.s3.amazonaws.com/a.pem",
        "https://bucket.sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com/",
        "https://sns.us-east-1.amazonaws.com/a.pem?b",
        "https://sns.us-east-1.amazonaws.com/a.pem#b",
        "https://sns.us-east-1.amazonaws.com/../a.pem",
        "https://sns.us-east-1.amazonaws.com\\@evil.example/a.pem",
        "https://sns.us-east-1.amazonaws.com/?Action=Publish&x=.pem",
        "https://sns.eu-west-1.amazonaws.com/a.pem",
        "https://[::1/a.pem",
    ],
)
def test_it_asks_nobody_but_sns_for_a_certificate(signer: SnsSigner, url: str) -> None:
    with pytest.raises(InvalidSnsMessage):
        verify(signer, signer.sign(now=NOW, SigningCertURL=url))


def test_china_has_a_host_of_its_own() -> None:
    check_certificate_url("https://sns.cn-north-1.amazonaws.com.cn/a.pem", region="cn-north-1")


@pytest.mark.parametrize("field", ["Message", "MessageId", "Timestamp", "TopicArn", "Type"])
@pytest.mark.parametrize("value", [None, 7, "nonsense"])
def test_a_message_that_is_none_is_refused(signer: SnsSigner, field: str, value: object) -> None:
    body = {**signer.sign(now=NOW), field: value}
    with pytest.raises(InvalidSnsMessage):
        verify(signer, body)


@pytest.mark.parametrize("signature", ["!", "", None, "AAAA"])
def test_a_signature_that_is_none_is_refused(signer: SnsSigner, signature: str | None) -> None:
    with pytest.raises(InvalidSnsMessage):
        verify(signer, {**signer.sign(now=NOW), "Signature": signature})


def test_certificates_out_of_force_or_of_weak_or_other_keys_are_none(signer: SnsSigner) -> None:
    day = timedelta(days=1)
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    curve = ec.generate_private_key(ec.SECP256R1())

    assert certificate_key(signer.pem, now=NOW) is not None
    for pem in (
        certificate(signer.private, start=NOW - 2 * day, end=NOW - day),
        certificate(signer.private, start=NOW + day, end=NOW + 2 * day),
        certificate(weak, start=NOW - day, end=NOW + day),
        certificate(curve, start=NOW - day, end=NOW + day),
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"<html>",
        b"x" * 20_000,
    ):
        assert certificate_key(pem, now=NOW) is None


# --- Subscription -----------------------------------------------------------------------------------------


def test_a_subscription_is_confirmed_at_sns(signer: SnsSigner) -> None:
    check_subscribe_url(read_message(signer.subscription(now=NOW)))


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        SUBSCRIBE_URL.replace("https", "http"),
        SUBSCRIBE_URL.replace("amazonaws.com", "amazonaws.com.evil.example"),
        SUBSCRIBE_URL.replace("us-east-1.amazonaws", "eu-west-1.amazonaws"),
        SUBSCRIBE_URL.replace("123456789012", "999999999999"),
        SUBSCRIBE_URL.replace("ConfirmSubscription", "Unsubscribe"),
        SUBSCRIBE_URL + "&TopicArn=arn:aws:sns:us-east-1:999999999999:other",
    ],
)
def test_a_subscription_is_confirmed_nowhere_else(signer: SnsSigner, url: str) -> None:
    with pytest.raises(InvalidSnsMessage):
        check_subscribe_url(read_message(signer.subscription(now=NOW, SubscribeURL=url)))


# --- Meaning ----------------------------------------------------------------------------------------------

BUDGET = """AWS Budget Notification June 15, 2026
AWS Account 123456789012

Dear AWS Customer,

You requested that we alert you when the ACTUAL Cost associated with your Example Budget budget is greater than
$80.00 for the current month. The ACTUAL Cost associated with this budget is $84.20.

Budget Name: Example Budget
Budget Type: Cost
Budgeted Amount: $100.00
Alert Type: ACTUAL
Alert Threshold: > $80.00
ACTUAL Amount: $84.20
"""
INVOICE = {
    "AccountId": "123456789012",
    "InvoiceId": "EUINDE26-1234567",
    "IssuedDate": 1780444800,
    "DueDate": "2026-06-17T00:00:00Z",
    "Entity": {"InvoicingEntity": "Amazon Web Services EMEA SARL"},
    "BillingPeriod": {"Month": 5, "Year": 2026},
    "InvoiceType": "INVOICE",
    "BaseCurrencyAmount": {"TotalAmount": "24240.03", "CurrencyCode": "USD"},
    "PaymentCurrencyAmount": {"TotalAmount": "22301.12", "CurrencyCode": "EUR"},
}


def read(message: object, subject: str = "") -> Intake:
    text = message if isinstance(message, str) else json.dumps(message)
    return read_sns_message(subject=subject, message=text, timezone=NEW_YORK)


def test_a_budget_alert_is_listed_and_books_nothing() -> None:
    said = read(BUDGET, "AWS Budgets: Example Budget has exceeded your alert threshold")

    assert said.events == ()
    assert said.ignored == (
        "budget alert, no bill: Budget Name: Example Budget; Budgeted Amount: $100.00; Alert Type: ACTUAL; "
        "ACTUAL Amount: $84.20"
    )


@pytest.mark.parametrize(
    "wrap", [lambda i: i, lambda i: [i], lambda i: {"InvoiceSummaries": [i]}, lambda i: {"detail": i}]
)
def test_an_invoice_is_a_bill_on_the_cloud_account(wrap: Any) -> None:
    (event,) = read(wrap(INVOICE)).events
    draft = parse_event(dict(event), now=NOW)

    assert (draft.event_type, draft.amount, draft.currency) == ("expense", Decimal("22301.12"), "EUR")
    assert draft.account == "cloud-aws"
    assert draft.occurred_at == datetime(2026, 6, 17, 12, tzinfo=NEW_YORK)
    assert draft.external_ref == "EUINDE26-1234567"


def test_a_credit_memo_is_a_credit() -> None:
    memo = {
        **INVOICE,
        "InvoiceType": "CREDIT_MEMO",
        "PaymentCurrencyAmount": {"TotalAmount": "-20.00", "CurrencyCode": "USD"},
    }
    (event,) = read(memo).events
    draft = parse_event(dict(event), now=NOW)

    assert (draft.event_type, draft.amount) == ("credit", Decimal("20.00"))
    # Dated when it was issued.
    assert draft.occurred_at == datetime(2026, 6, 3, 12, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    "broken",
    [
        {**INVOICE, "InvoiceId": ""},
        {**INVOICE, "PaymentCurrencyAmount": None, "BaseCurrencyAmount": None},
        {**INVOICE, "DueDate": "soon"},
        {**INVOICE, "DueDate": 10**30},
    ],
)
def test_an_invoice_in_doubt_waits_for_a_person(broken: dict[str, Any]) -> None:
    with pytest.raises(UnreadableMessage):
        read(broken)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            {"AlarmName": "bill", "NewStateValue": "ALARM", "Trigger": {"Namespace": "AWS/Billing"}},
            "estimated charges",
        ),
        ({"anomalyId": "a1", "impact": {"totalImpact": 1301}}, "cost anomaly a1, total impact 1301"),
        ({"Records": [{"s3": {"object": {"key": "cur/2026-06/Manifest.json"}}}]}, "cur/2026-06/Manifest.json"),
        ({"Event": "s3:TestEvent", "Bucket": "b"}, "test message"),
        (
            {"Event": "autoscaling:EC2_INSTANCE_LAUNCH", "AutoScalingGroupName": "web"},
            "autoscaling:EC2_INSTANCE_LAUNCH",
        ),
    ],
)
def test_known_notices_are_ignored_for_a_reason(message: dict[str, Any], reason: str) -> None:
    said = read(message)
    assert said.events == ()
    assert reason in said.ignored


@pytest.mark.parametrize(
    "message", ["Hello from SNS!", "", "7", {"hello": 1}, {"source": "aws.unheard", "detail-type": "x"}]
)
def test_what_nobody_knows_waits_for_a_person(message: object) -> None:
    with pytest.raises(UnreadableMessage):
        read(message)


def test_scaling_events_of_aws_are_ignored_for_a_reason(shared_data: Path) -> None:
    files = sorted((shared_data / "aws-events").glob("autoscaling-*.json"))

    assert len(files) == 6
    for file in files:
        assert "scaling shows in the bill" in read(file.read_text()).ignored, file.name


def test_alarms_of_aws_are_ignored_for_a_reason(shared_data: Path) -> None:
    for file in sorted((shared_data / "aws-events").glob("cloudwatch-alarm-*.json")):
        record = parse_json(file.read_bytes())["Records"][0]["Sns"]
        assert "an alarm, no bill" in read(record["Message"]).ignored, file.name
