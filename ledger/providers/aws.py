"""AWS: billing and budget notifications that SNS delivers."""

from django.conf import settings

from ledger.domain.intake import Intake
from ledger.providers.http import Unavailable
from ledger.providers.key_memory import TooManyLookups, UnknownKey
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
    VerifierUnavailable,
    refused,
)
from ledger.providers.sns_deliveries import read_envelope, verify_delivery
from ledger.providers.sns_fetch import SnsRefused, confirm_subscription
from ledger.providers.sns_messages import ACCOUNT, UnreadableMessage, read_sns_message
from ledger.providers.sns_signature import SUBSCRIPTION, UNSUBSCRIPTION, InvalidSnsMessage


def verify(arrival: Arrival) -> Verdict:
    """Believe what SNS signed for one of the endpoint's topics within the last hour."""
    topics = arrival.settings.get("topics")
    listed = (
        frozenset(topic for topic in topics if isinstance(topic, str)) if isinstance(topics, list) else frozenset()
    )
    try:
        verify_delivery(
            body=arrival.raw,
            topics=listed,
            now=arrival.now,
            allow_version_1=settings.SNS_ALLOW_SIGNATURE_VERSION_1,
            loopback_origin=settings.SNS_LOOPBACK_ORIGIN,
        )
    except (InvalidSnsMessage, UnknownKey) as error:
        return refused(str(error))
    except (TooManyLookups, Unavailable) as error:
        raise VerifierUnavailable(f"the certificate of SNS: {error}") from error
    return VERIFIED


def parse(raw: bytes, context: ParseContext) -> Intake:
    """Return what a notification says."""
    try:
        message = read_envelope(raw)
        if message.type in (SUBSCRIPTION, UNSUBSCRIPTION):
            return Intake(ignored=f"the subscription to {message.topic} has ended"[:255])
        return read_sns_message(
            subject=message.subject,
            message=message.message,
            timezone=context.timezone,
            account=context.accounts["bills"],
        )
    except (InvalidSnsMessage, UnreadableMessage) as error:
        raise Unreadable(str(error)) from None


def fetch(raw: bytes, context: FetchContext) -> Fetched | None:
    """Confirm a subscription that SNS asks about; anything else needs nothing fetched."""
    try:
        message = read_envelope(raw)
        if message.type != SUBSCRIPTION:
            return None
        confirm_subscription(message, loopback_origin=settings.SNS_LOOPBACK_ORIGIN)
    except (InvalidSnsMessage, SnsRefused) as error:
        raise Unreadable(str(error)) from None
    except Unavailable as error:
        raise ProviderUnavailable(str(error)) from error
    return Fetched(Intake(ignored=f"confirmed the subscription to {message.topic}"[:255]), context.cursor)


PROVIDER = Provider(
    name="aws",
    label="AWS (SNS)",
    safe_headers=frozenset({"x-amz-sns-message-type", "x-amz-sns-message-id", "x-amz-sns-topic-arn"}),
    verify=verify,
    parse=parse,
    stable_ids=True,
    accounts={"bills": ACCOUNT},
    settings={"topics": []},
    signing_secrets="none",
    # SNS posts JSON as text.
    media_types=frozenset({"text/plain", "application/json"}),
    fetch=fetch,
)
