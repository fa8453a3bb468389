"""Taking a bulk body apart, item by item, as it arrives."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ledger.api.problems import Problem
from ledger.domain.problems import FieldProblem
from ledger.domain.strict_json import InvalidJson, parse_json

MAX_LINE_BYTES = 256 * 1024
MAX_ITEMS = 1_000_000
_SPACE = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Item:
    """Attributes:
    index: from 0; the place in the array, or the number of the line less one.
    value: as `strict_json.parse_json` returns it; meaningless when there is a problem.
    problem: why the item is no JSON, None when it is.
    """

    index: int
    value: Any
    problem: str | None = None


def array_items(body: bytes) -> Iterator[Item]:
    """Yield the items of a JSON array.

    Raises:
        Problem: 400 when the body is not JSON as a whole, or not an array.
    """
    try:
        values = parse_json(body.removeprefix(_BYTE_ORDER_MARK))
    except InvalidJson as error:
        raise not_json(str(error)) from None
    if not isinstance(values, list):
        raise not_json("must be an array of events, or one event a line as application/x-ndjson")
    for index, value in enumerate(values):
        yield Item(index, value)


def line_items(chunks: Iterable[bytes]) -> Iterator[Item]:
    """Yield the items of NDJSON, one per line that is not blank; a line that is no JSON comes with its problem."""
    for index, line in enumerate(_lines(chunks)):
        if index >= MAX_ITEMS:
            raise Problem(413, f"More than {MAX_ITEMS} lines in one request.")
        if line is None:
            yield Item(index, None, f"is longer than {MAX_LINE_BYTES // 1024} KB")
            continue
        if not line.strip(_SPACE):
            continue
        try:
            yield Item(index, parse_json(line))
        except InvalidJson as error:
            yield Item(index, None, f"is not JSON: {error}")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """Yield lines without their ends; None for one that is too long, whose rest is dropped unread."""
    rest = b""
    too_long = False
    first = True
    for chunk in chunks:
        if first:
            chunk, first = chunk.removeprefix(_BYTE_ORDER_MARK), False
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield None if too_long or len(line) > MAX_LINE_BYTES else line
            too_long = False
        if len(rest) > MAX_LINE_BYTES:
            too_long, rest = True, b""
    if rest or too_long:
        yield None if too_long else rest


def not_json(message: str) -> Problem:
    """Return the refusal of a body that is no JSON."""
    return Problem(400, "The body is not JSON that could be read.", errors=(FieldProblem("body", message),))
