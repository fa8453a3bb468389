"""Messages of Amazon SNS: what is signed, by which certificate, and when they are too old.

AWS documents the string that is signed, and that certificates are fetched over HTTPS from SNS itself:
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# SNS repeats a delivery for up to an hour under the timestamp of its publication.
OLDEST = timedelta(hours=1)
# Clocks differ.
NEWEST = timedelta(minutes=5)
LEAST_KEY_BITS = 2048
MAX_CERTIFICATE_BYTES = 16_384

NOTIFICATION = "Notification"
SUBSCRIPTION = "SubscriptionConfirmation"
UNSUBSCRIPTION = "UnsubscribeConfirmation"
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_OPTIONAL = frozenset({"Subject"})
_ARN = re.compile(r"arn:(?:aws|aws-cn|aws-us-gov):sns:([a-z0-9-]{5,30}):[0-9]{12}:[A-Za-z0-9_.-]{1,260}")
# Nothing else serves a certificate, neither a bucket (s3.amazonaws.com) nor a look-alike (…amazonaws.com.example).
_HOST = re.compile(r"sns\.([a-z0-9-]{5,30})\.amazonaws\.com(?:\.cn)?")
_CERTIFICATE_PATH = re.compile(r"/[A-Za-z0-9_-]{1,200}\.pem")


# us-east-1, ap-southeast-4, us-gov-west-1, cn-north-1. The partition must be that of the region.
_REGIONS = {
    "aws": re.compile(r"(?!cn-|us-gov-)[a-z]{2}(?:-[a-z]{3,12}){1,2}-[0-9]{1,2}"),
    "aws-cn": re.compile(r"cn-[a-z]{3,12}-[0-9]{1,2}"),
    "aws-us-gov": re.compile(r"us-gov-[a-z]{3,12}-[0-9]{1,2}"),
}


def is_topic(arn: str) -> bool:
    """Whether a text is the ARN of a topic in a region that its partition may have."""
    if _ARN.fullmatch(arn) is None:
        return False
    _, partition, _, region, *_ = arn.split(":")
    return _REGIONS[partition].fullmatch(region) is not None


class InvalidSnsMessage(ValueError):
    """A message that SNS did not sign, or not for this endpoint, or not now; the message says why."""


@dataclass(frozen=True, slots=True)
class SnsMessage:
    """A message whose shape is sound; whether it is true, `verify_sns` says.

    Attributes:
        fields: as signed.
        region: of the topic.
    """

    type: str
    message_id: str
    topic: str
    region: str
    timestamp: datetime
    message: str
    subject: str
    subscribe_url: str
    certificate_url: str
    signature: bytes
    signature_version: str
    fields: Mapping[str, str]


def read_message(body: object) -> SnsMessage:
    """Return the message a parsed body holds.

    Raises:
        InvalidSnsMessage: a field is missing or is not what it should be.
    """
    if not isinstance(body, dict):
        raise InvalidSnsMessage("is no JSON object")
    kind = body.get("Type")
    if not isinstance(kind, str) or kind not in _SIGNED:
        raise InvalidSnsMessage("Type is none that SNS sends")
    fields = {}
    for name in _SIGNED[kind]:
        value = body.get(name)
        if value is None and name in _OPTIONAL:
            continue
        if not isinstance(value, str):
            raise InvalidSnsMessage(f"{name} is missing")
        fields[name] = value
    topic = _ARN.fullmatch(fields["TopicArn"])
    if topic is None:
        raise InvalidSnsMessage("TopicArn is no address of a topic")
    return SnsMessage(
        type=kind,
        message_id=fields["MessageId"],
        topic=fields["TopicArn"],
        region=topic[1],
        timestamp=_timestamp(fields["Timestamp"]),
        message=fields["Message"],
        subject=fields.get("Subject", ""),
        subscribe_url=fields.get("SubscribeURL", ""),
        certificate_url=str(body.get("SigningCertURL") or ""),
        signature=_signature(body.get("Signature")),
        signature_version=str(body.get("SignatureVersion") or ""),
        fields=fields,
    )


def verify_sns(
    message: SnsMessage,
    *,
    topics: frozenset[str],
    key_at: Callable[[str], rsa.RSAPublicKey],
    now: datetime,
    allow_version_1: bool = False,
) -> None:
    """Accept a message, or say why not.

    Args:
        topics: those the endpoint listens to. Everybody can have SNS sign a message, from a topic of their own.
        key_at: gives the key of the certificate at an address; it is asked only for addresses of SNS itself.
        now: aware.
        allow_version_1: accept SHA-1, which is what a topic uses until its SignatureVersion is set to 2.

    Raises:
        InvalidSnsMessage: any doubt.
    """
    if message.topic not in topics:
        raise InvalidSnsMessage("the topic is none of those this endpoint listens to")
    if message.signature_version == "2":
        algorithm: hashes.HashAlgorithm = hashes.SHA256()
    elif message.signature_version == "1" and allow_version_1:
        algorithm = hashes.SHA1()  # noqa: S303 -- the operator asked for it
    else:
        raise InvalidSnsMessage("SignatureVersion is not 2: set the topic's attribute SignatureVersion to 2")
    if not -OLDEST <= message.timestamp - now <= NEWEST:
        raise InvalidSnsMessage("Timestamp is more than an hour old, or ahead of our clock")
    check_certificate_url(message.certificate_url, region=message.region)
    try:
        key_at(message.certificate_url).verify(
            message.signature, string_to_sign(message), padding.PKCS1v15(), algorithm
        )
    except InvalidSignature:
        raise InvalidSnsMessage("the signature does not fit") from None


def string_to_sign(message: SnsMessage) -> bytes:
    """Return the bytes that SNS signs: each field's name and value on a line of their own."""
    return "".join(
        f"{name}\n{message.fields[name]}\n" for name in _SIGNED[message.type] if name in message.fields
    ).encode()


def check_certificate_url(url: str, *, region: str) -> None:
    """Accept the address of a certificate, or say why not.

    Raises:
        InvalidSnsMessage: it is not SNS itself in the topic's region that serves it.
    """
    parts = _sns_address(url, region=region, field="SigningCertURL")
    if parts.query or _CERTIFICATE_PATH.fullmatch(parts.path) is None:
        raise InvalidSnsMessage("SigningCertURL names no certificate")


def check_subscribe_url(message: SnsMessage) -> None:
    """Accept the address that confirms a subscription, or say why not.

    Raises:
        InvalidSnsMessage: it is not SNS in the topic's region, or it confirms another topic.
    """
    parts = _sns_address(message.subscribe_url, region=message.region, field="SubscribeURL")
    query = parse_qs(parts.query)
    if parts.path not in ("", "/") or query.get("Action") != ["ConfirmSubscription"]:
        raise InvalidSnsMessage("SubscribeURL does not confirm a subscription")
    if query.get("TopicArn") != [message.topic]:
        raise InvalidSnsMessage("SubscribeURL confirms another topic")


def _sns_address(url: str, *, region: str, field: str) -> Any:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidSnsMessage(f"{field} is no address") from None
    host = _HOST.fullmatch(parts.hostname or "")
    if (
        parts.scheme != "https"
        or host is None
        or port not in (None, 443)
        or "@" in parts.netloc
        or parts.fragment
        or not url.isascii()
        or "\\" in url
    ):
        raise InvalidSnsMessage(f"{field} is no address of SNS")
    if host[1] != region:
        raise InvalidSnsMessage(f"{field} lies in another region than the topic")
    return parts


def certificate_key(pem: bytes, *, now: datetime) -> rsa.RSAPublicKey | None:
    """Return the key of a certificate that is in force; None when there is none to be had from the bytes."""
    if len(pem) > MAX_CERTIFICATE_BYTES:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
    except ValueError:
        return None
    in_force = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    if not in_force or not isinstance(key, rsa.RSAPublicKey) or key.key_size < LEAST_KEY_BITS:
        return None
    return key


def _timestamp(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidSnsMessage("Timestamp is no time") from None
    if instant.tzinfo is None:
        raise InvalidSnsMessage("Timestamp has no time zone")
    return instant.astimezone(UTC)


def _signature(value: object) -> bytes:
    try:
        return base64.b64decode(str(value or ""), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSnsMessage("Signature is not base64") from None
