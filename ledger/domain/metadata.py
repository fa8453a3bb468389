"""What else a sender wants to keep with an event: an object or a text, bounded and storable."""

import json
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from ledger.domain.strict_json import ExponentNumber, RepeatedKey

MAX_BYTES = 16 * 1024
MAX_LEVELS = 32
# PostgreSQL writes a jsonb number out in full: an exponent is an amplifier.
MAX_EXPONENT = 308


class InvalidMetadata(ValueError):
    """Metadata that is refused; the message is a sentence for the sender."""


def metadata_json(metadata: Mapping[str, Any] | str) -> str:
    """Return metadata as the JSON text to store, numbers digit for digit.

    Raises:
        InvalidMetadata: too large, too deep, or holding what PostgreSQL cannot store.
    """
    if not metadata and not isinstance(metadata, str):
        return "{}"
    parts: list[str] = []
    _write(metadata, 1, parts.append)
    text = "".join(parts)
    if len(text) > MAX_BYTES:
        raise InvalidMetadata(f"is larger than {MAX_BYTES // 1024} KB")
    if not text.isascii():
        try:
            size = len(text.encode("utf-8"))
        except UnicodeEncodeError:
            raise InvalidMetadata("holds half of a surrogate pair, which is no character") from None
        if size > MAX_BYTES:
            raise InvalidMetadata(f"is larger than {MAX_BYTES // 1024} KB")
    return text


def _write(value: Any, level: int, put: Any) -> None:
    kind = type(value)
    if kind is str:
        if "\0" in value:
            raise InvalidMetadata("holds a NUL character")
        put(encode_basestring(value))
    elif kind is bool:
        put("true" if value else "false")
    elif kind is int:
        put(int.__repr__(value))
    elif value is None:
        put("null")
    elif isinstance(value, Mapping):
        _write_object(value, level, put)
    elif isinstance(value, list | tuple):
        _write_array(value, level, put)
    else:
        put(_number(value))


def _write_object(members: Mapping[str, Any], level: int, put: Any) -> None:
    if level > MAX_LEVELS:
        raise InvalidMetadata(f"is nested deeper than {MAX_LEVELS} levels")
    before = "{"
    for key, member in members.items():
        if type(key) is not str:
            raise InvalidMetadata("has a key that is not text")
        if "\0" in key:
            raise InvalidMetadata("holds a NUL character")
        put(before)
        put(encode_basestring(key))
        put(":")
        _write(member, level + 1, put)
        before = ","
    put("{}" if before == "{" else "}")


def _write_array(items: list[Any] | tuple[Any, ...], level: int, put: Any) -> None:
    if level > MAX_LEVELS:
        raise InvalidMetadata(f"is nested deeper than {MAX_LEVELS} levels")
    before = "["
    for item in items:
        put(before)
        _write(item, level + 1, put)
        before = ","
    put("[]" if before == "[" else "]")


def _number(value: Any) -> str:
    if isinstance(value, ExponentNumber):
        number, text = Decimal(value.text), value.text
    elif isinstance(value, Decimal):
        number, text = value, str(value)
    elif isinstance(value, float):
        number, text = Decimal(repr(value)), json.dumps(value)
    elif isinstance(value, RepeatedKey):
        raise InvalidMetadata(f"states the key {value.key!r} twice")
    else:
        raise InvalidMetadata(f"holds a {type(value).__name__}, which JSON cannot express")
    if not number.is_finite():
        raise InvalidMetadata("holds a number that is not finite")
    if number and abs(number.adjusted()) > MAX_EXPONENT:
        raise InvalidMetadata(f"holds a number with an exponent beyond {MAX_EXPONENT}")
    return text
