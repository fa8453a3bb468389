"""An SNS delivery: verified with a certificate fetched from SNS."""

from datetime import datetime

from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.providers.sns_fetch import key_at
from ledger.providers.sns_signature import (
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
    message = read_envelope(body)
    verify_sns(
        message,
        topics=topics,
        key_at=lambda url: key_at(url, region=message.region, now=now, loopback_origin=loopback_origin),
        now=now,
        allow_version_1=allow_version_1,
    )


def read_envelope(body: bytes) -> SnsMessage:
    """Return the message that a body holds, true or not.

    Raises:
        InvalidSnsMessage: it holds none.
    """
    try:
        return read_message(parse_json(body))
    except InvalidJson as error:
        raise InvalidSnsMessage(f"is no JSON: {error}") from None
