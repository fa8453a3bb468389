"""What we ask SNS: the certificate a message is signed with, and to begin a subscription."""

import time
from datetime import datetime
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa

from ledger.providers.http import request
from ledger.providers.key_memory import KeyMemory
from ledger.providers.sns_signature import (
    MAX_CERTIFICATE_BYTES,
    SnsMessage,
    certificate_key,
    check_certificate_url,
    check_subscribe_url,
)

_keys = KeyMemory[rsa.RSAPublicKey]()
MAX_CONFIRMATION_BYTES = 65_536


class SnsRefused(Exception):
    """SNS did not confirm a subscription; the message holds its status."""


def key_at(url: str, *, region: str, now: datetime, loopback_origin: str = "") -> rsa.RSAPublicKey:
    """Return the key of the certificate at an address of SNS.

    Args:
        loopback_origin: tests fetch the path of the address from here. The address itself must be one of SNS
            all the same.

    Raises:
        InvalidSnsMessage: not an address of SNS.
        UnknownKey: nothing there that is a certificate in force.
        TooManyLookups, Unavailable: ask again later.
    """
    check_certificate_url(url, region=region)

    def fetch() -> rsa.RSAPublicKey | None:
        answer = request(method="GET", url=_at(url, loopback_origin), max_answer_bytes=MAX_CERTIFICATE_BYTES)
        return certificate_key(answer.body, now=now) if answer.status == 200 else None

    return _keys.find(name=(loopback_origin, url), fetch=fetch, seconds=time.monotonic())


def confirm_subscription(message: SnsMessage, *, loopback_origin: str = "") -> None:
    """Tell SNS that we asked for the subscription. Call it for a verified message only.

    Raises:
        InvalidSnsMessage: the address is not one of SNS, or confirms another topic.
        SnsRefused: SNS does not know the token (any more).
        Unavailable: ask again later.
    """
    check_subscribe_url(message)
    url = _at(message.subscribe_url, loopback_origin)
    answer = request(method="GET", url=url, max_answer_bytes=MAX_CONFIRMATION_BYTES)
    if answer.status != 200:
        raise SnsRefused(f"SNS answered {answer.status} to the confirmation")


def _at(url: str, loopback_origin: str) -> str:
    if not loopback_origin:
        return url
    parts = urlsplit(url)
    return f"{loopback_origin}{parts.path}{'?' if parts.query else ''}{parts.query}"
