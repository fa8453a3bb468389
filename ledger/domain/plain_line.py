"""The common shape of an event on a line of NDJSON, read fast.

`read_plain` takes what needs no second thought: one flat object of known members, texts and an amount. It
returns None for everything else (other members, numbers where texts belong, escapes, a member stated twice, no
JSON at all), and then `strict_json.parse_json` and `event.parse_event` have the word. It judges no value: what it
returns says the same as the strict reading would, and a property test holds the two together.
"""

from collections.abc import Callable

import msgspec
from msgspec import UNSET, Raw, UnsetType

type Text = str | UnsetType | None


class PlainLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event's members as they were stated. UNSET is a member that is not there.

    Attributes:
        amount: its JSON text, so that no digit passes through a float.
    """

    source: str
    event_type: str
    amount: Raw
    currency: str
    occurred_at: Text = UNSET
    direction: Text = UNSET
    account: Text = UNSET
    category: Text = UNSET
    counterparty: Text = UNSET
    external_ref: Text = UNSET


_decode: Callable[[bytes], PlainLine] = msgspec.json.Decoder(PlainLine).decode
# Of the three members that are texts always: two for the name, two for the text; of the amount its name.
_QUOTES_ALWAYS = 14


def read_plain(line: bytes) -> PlainLine | None:
    """Return the event on a line, None when it is not plainly one."""
    # An escape could hide a quote, or stand for a character that may not be stored.
    if b"\\" in line:
        return None
    try:
        event = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    # The decoder lets the last of two equal members win. Where no text can hold a quote, each member stated once
    # accounts for its quotes, and one more member would show.
    quotes = _QUOTES_ALWAYS
    if bytes(event.amount)[:1] == b'"':
        quotes += 2
    # Spelled out: a loop over the six costs as much as decoding the line.
    if event.occurred_at is not UNSET:
        quotes += 2 if event.occurred_at is None else 4
    if event.direction is not UNSET:
        quotes += 2 if event.direction is None else 4
    if event.account is not UNSET:
        quotes += 2 if event.account is None else 4
    if event.category is not UNSET:
        quotes += 2 if event.category is None else 4
    if event.counterparty is not UNSET:
        quotes += 2 if event.counterparty is None else 4
    if event.external_ref is not UNSET:
        quotes += 2 if event.external_ref is None else 4
    return event if line.count(b'"') == quotes else None
