"""A Plaid delivery acted on: it carries no figures, so it only sets in motion what brings them."""

from dataclasses import dataclass
from datetime import datetime

from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.providers.plaid_webhooks import (
    FeedRepaired,
    FeedTrouble,
    Nothing,
    UnreadableWebhook,
    read_webhook,
)
from ledger.services.plaid_sync import note_repair, note_trouble, request_sync

STRANGER = "an item that is not connected here"


@dataclass(frozen=True, slots=True)
class PlaidDelivery:
    """What became of a delivery.

    Attributes:
        ignored: why nothing was done; empty when something was.
        item_number: of the item to be read now, for `ledger.jobs.wake_plaid_item` after the commit.
    """

    ignored: str = ""
    item_number: int | None = None


def act_on_delivery(*, company_id: int, body: bytes, now: datetime) -> PlaidDelivery:
    """Do what a verified delivery asks. Doing it twice does no harm.

    Raises:
        UnreadableWebhook: a person must look.
    """
    try:
        content = parse_json(body)
    except InvalidJson as error:
        raise UnreadableWebhook(f"is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise UnreadableWebhook("is no JSON object")
    meaning = read_webhook(content)
    if isinstance(meaning, Nothing):
        return PlaidDelivery(ignored=meaning.reason)
    if isinstance(meaning, FeedTrouble):
        known = note_trouble(
            company_id=company_id, item_id=meaning.item_id, silent=meaning.silent, reason=meaning.reason
        )
        return PlaidDelivery(ignored="" if known else STRANGER)
    if isinstance(meaning, FeedRepaired):
        number = note_repair(company_id=company_id, item_id=meaning.item_id, now=now)
    else:
        number = request_sync(company_id=company_id, item_id=meaning.item_id, complete=meaning.complete, now=now)
    return PlaidDelivery(ignored=STRANGER) if number is None else PlaidDelivery(item_number=number)
