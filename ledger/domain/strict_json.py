"""JSON read without loss: numbers keep their digits, and what JSON leaves undefined is refused.

`json` from the standard library turns 0.1 into a float, lets the last of two equal keys win and accepts NaN. An
amount must not pass through a float, and of two amounts under one key neither may be picked in silence.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

# `json` raises a bare ValueError for integers beyond Python's limit; nobody states money or counts in more digits.
MAX_NUMBER_CHARACTERS = 400


class InvalidJson(ValueError):
    """Text that is not JSON, or JSON that means nothing certain; the message says where or why."""


class ExponentNumber:
    """A JSON number written with an exponent. Its text is kept: an amount must not have one, metadata may."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class RepeatedKey:
    """Stands in for an object in which one key occurs twice."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | RepeatedKey:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return RepeatedKey(key)
        seen.add(key)
    raise AssertionError("a shorter dict has a repeated key")


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise InvalidJson(f"a number has more than {MAX_NUMBER_CHARACTERS} characters")
    return int(text)


def _fraction(text: str) -> Decimal | ExponentNumber:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise InvalidJson(f"a number has more than {MAX_NUMBER_CHARACTERS} characters")
    if "e" in text or "E" in text:
        return ExponentNumber(text)
    return Decimal(text)


def _constant(text: str) -> None:
    raise InvalidJson(f"{text} is not a JSON number")


_decode: Callable[[str], Any] = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
).decode


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text: dict, list, str, int, Decimal, bool, None, ExponentNumber or RepeatedKey.

    Raises:
        InvalidJson: not UTF-8, not JSON, nested too deeply, or a number of absurd length.
    """
    try:
        return _decode(text.decode("utf-8") if isinstance(text, bytes) else text)
    except UnicodeDecodeError as error:
        raise InvalidJson(f"byte {error.start + 1} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise InvalidJson(
            f"{error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise InvalidJson("is nested too deeply") from error
