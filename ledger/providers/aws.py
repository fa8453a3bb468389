"""AWS: billing and budget notifications that SNS delivers."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from ledger.domain.intake import Intake
from ledger.domain.problems import FieldProblem
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
from ledger.providers.sns_signature import SUBSCRIPTION, UNSUBSCRIPTION, InvalidSnsMessage, is_topic


def verify(arrival: Arrival) -> Verdict:
    """Believe what SNS signed for one of the endpoint's topics within the last hour."""
    # Endpoints of an earlier day may hold settings that nobody checked.
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


MAX_TOPICS = 50


def problems(stated: Mapping[str, Any], _credentials: Mapping[str, str]) -> Iterator[FieldProblem]:
    """What is wrong with the topics of an endpoint: whose messages are believed."""
    topics = stated["topics"]
    if not 0 < len(topics) <= MAX_TOPICS:
        yield FieldProblem("settings.topics", f"must list 1 to {MAX_TOPICS} topics whose messages are taken")
    for place, topic in enumerate(topics[:MAX_TOPICS]):
        if not isinstance(topic, str) or not is_topic(topic):
            message = "must be the ARN of a topic: arn:aws:sns:<region>:<account>:<name>, the region one of AWS"
            yield FieldProblem(f"settings.topics[{place}]", message)


PROVIDER = Provider(
    name="aws",
    label="AWS (SNS)",
    safe_headers=frozenset({"x-amz-sns-message-type", "x-amz-sns-message-id", "x-amz-sns-topic-arn"}),
    verify=verify,
    parse=parse,
    stable_ids=True,
    accounts={"bills": ACCOUNT},
    settings={"topics": []},
    problems=problems,
    signing_secrets="none",
    # SNS posts JSON as text.
    media_types=frozenset({"text/plain", "application/json"}),
    fetch=fetch,
)
