"""An SNS delivery: verified with a certificate fetched from SNS, confirmed or read."""

from datetime import datetime
from zoneinfo import ZoneInfo

from ledger.domain.intake import Intake
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.providers.sns_fetch import confirm_subscription, key_at
from ledger.providers.sns_messages import ACCOUNT, read_sns_message
from ledger.providers.sns_signature import (
    SUBSCRIPTION,
    UNSUBSCRIPTION,
    InvalidSnsMessage,
    SnsMessage,
    read_message,
    verify_sns,
)


def verify_delivery(
    *, body: bytes, topics: frozenset[str], now: datetime, allow_version_1: bool = False, loopback_origin: str = ""
) -> None:
    """Accept a delivery, or say why not.

    Raises:
        InvalidSnsMessage, UnknownKey: any doubt.
        TooManyLookups, Unavailable: it cannot be told now; SNS sends the delivery again.
    """
    message = _message(body)
    verify_sns(
        message,
        topics=topics,
        key_at=lambda url: key_at(url, region=message.region, now=now, loopback_origin=loopback_origin),
        now=now,
        allow_version_1=allow_version_1,
    )


def read_delivery(
    *, body: bytes, timezone: ZoneInfo, account: str | None = ACCOUNT, loopback_origin: str = ""
) -> Intake:
    """Return what a verified delivery says; confirm the subscription that it asks about.

    Raises:
        UnreadableMessage, InvalidSnsMessage, SnsRefused: a person must look.
        Unavailable: ask again later.
    """
    message = _message(body)
    if message.type == SUBSCRIPTION:
        confirm_subscription(message, loopback_origin=loopback_origin)
        return Intake(ignored=f"confirmed the subscription to {message.topic}"[:255])
    if message.type == UNSUBSCRIPTION:
        return Intake(ignored=f"the subscription to {message.topic} has ended"[:255])
    return read_sns_message(subject=message.subject, message=message.message, timezone=timezone, account=account)


def _message(body: bytes) -> SnsMessage:
    try:
        return read_message(parse_json(body))
    except InvalidJson as error:
        raise InvalidSnsMessage(f"is no JSON: {error}") from None
