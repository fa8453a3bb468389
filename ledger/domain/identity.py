"""The key by which a repeat is recognised: SHA-256 over what an event says, in one unambiguous spelling.

The digested bytes are a version line and eleven fields:

    capstack.event.1 LF
    field field field ... field

in this order: company, source, event_type, direction, account, amount, currency, occurred_at, external_ref,
revision, reverses. A field is its length in bytes as ASCII decimal digits without leading zeros, a colon (0x3A),
and as many bytes. Nothing stands between fields. A length ends at the first colon and says how far the field
reaches, so no text in one field can be read as part of another. The bytes are

    company, account   the numbers of their rows in decimal digits: names may change, an event stays the same
    source, event_type, direction, currency, external_ref   UTF-8, as stated; external_ref empty when absent
    amount             decimal, exactly six decimals, no exponent, no leading zeros, e.g. `1250.000000`
    occurred_at        UTC to the microsecond, e.g. `2026-03-01T09:30:00.000000Z`
    revision           decimal digits, 0 for what was recorded first
    reverses           empty, or for a reversal the 64 lower-case hexadecimal digits of the reversed event's id

A delivery id, a header or the time of arrival is no part of it: a retry has others.
"""

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256

from ledger.domain.money import canonical

VERSION = b"capstack.event.1\n"


def utc_text(instant: datetime) -> str:
    """Return an aware instant as `2026-03-01T09:30:00.000000Z`.

    Raises:
        ValueError: the instant is naive.
    """
    if instant.tzinfo is None:
        raise ValueError("a naive datetime has no instant")
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def encoding(
    *,
    company_id: int,
    source: str,
    event_type: str,
    direction: str,
    account_id: int,
    amount: str,
    currency: str,
    occurred_at: str,
    external_ref: str,
    revision: int = 0,
    reverses: str = "",
) -> bytes:
    """Return the bytes that are digested; the module's docstring says how they are made.

    Args:
        amount: as `money.canonical` spells it.
        occurred_at: as `utc_text` spells it.
    """
    company = str(company_id)
    account = str(account_id)
    number = str(revision)
    if source.isascii() and external_ref.isascii():
        # Characters are bytes here. One f-string is three times as fast as a loop, and this runs for every event.
        text = (
            f"{len(company)}:{company}{len(source)}:{source}{len(event_type)}:{event_type}"
            f"{len(direction)}:{direction}{len(account)}:{account}{len(amount)}:{amount}{len(currency)}:{currency}"
            f"{len(occurred_at)}:{occurred_at}{len(external_ref)}:{external_ref}{len(number)}:{number}"
            f"{len(reverses)}:{reverses}"
        )
        return VERSION + text.encode("ascii")
    fields = (
        company,
        source,
        event_type,
        direction,
        account,
        amount,
        currency,
        occurred_at,
        external_ref,
        number,
        reverses,
    )
    encoded = [field.encode("utf-8") for field in fields]
    return VERSION + b"".join(b"%d:%b" % (len(field), field) for field in encoded)


def event_id(
    *,
    company_id: int,
    source: str,
    event_type: str,
    direction: str,
    account_id: int,
    amount: Decimal,
    currency: str,
    occurred_at: datetime,
    external_ref: str,
    revision: int = 0,
    reverses: str = "",
) -> bytes:
    """Return the 32 bytes that identify an event.

    Args:
        occurred_at: aware; equal instants in different time zones give equal ids.
        reverses: hexadecimal id of the reversed event, empty for anything but a reversal.
    """
    return digest(
        encoding(
            company_id=company_id,
            source=source,
            event_type=event_type,
            direction=direction,
            account_id=account_id,
            amount=canonical(amount),
            currency=currency,
            occurred_at=utc_text(occurred_at),
            external_ref=external_ref,
            revision=revision,
            reverses=reverses,
        )
    )


def digest(encoded: bytes) -> bytes:
    """Return the SHA-256 of an encoding."""
    return sha256(encoded).digest()
