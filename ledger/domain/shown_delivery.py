"""A delivery as people may read it: legible, bounded, and without anything that opens a door."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

HIDDEN = "•••"
# Names of members and headers whose values are never shown: keys, tokens, and addresses that carry one.
_SECRET = re.compile(
    r"secret|token|passw|passphrase|credential|authorization|cookie|signature|verification|subscribeurl"
    r"|(api|private|access|signing)[_-]?key|unsubscribe",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ShownBody:
    """Attributes:
    text: JSON on lines of its own.
    is_cut: there is more of it.
    """

    text: str
    is_cut: bool


def shown_body(raw: bytes, *, most_characters: int) -> ShownBody | None:
    """Return JSON as people may read it; None for anything else, of which nobody knows what is secret."""
    try:
        # Numbers with their digits; an exponent or a repeated member is shown as it would be read.
        value = json.loads(raw, parse_float=str)
        text = json.dumps(_without_secrets(value), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    # A lone surrogate cannot be sent to a browser.
    text = text.encode("utf-8", "replace").decode()
    return ShownBody(text[:most_characters], len(text) > most_characters)


def shown_headers(headers: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return headers by name, with the values of those that sign or authorise hidden."""
    return tuple((name, HIDDEN if _SECRET.search(name) else str(headers[name])) for name in sorted(headers))


def _without_secrets(value: object) -> object:
    if isinstance(value, dict):
        return dict(_member(name, member) for name, member in value.items())
    if isinstance(value, list):
        return [_without_secrets(member) for member in value]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        return _within_text(value)
    return value


def _member(name: str, value: object) -> tuple[str, object]:
    # A flag or nothing opens no door.
    if _SECRET.search(name) and not (value is None or isinstance(value, bool)):
        return name, HIDDEN
    return name, _without_secrets(value)


def _within_text(text: str) -> object:
    """JSON that travels as a text within JSON, as SNS sends it."""
    try:
        inner = json.loads(text, parse_float=str)
    except ValueError:
        return text
    return _without_secrets(inner)
