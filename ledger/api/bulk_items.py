"""Taking a bulk body apart, item by item, as it arrives."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ledger.api.problems import Problem
from ledger.domain.problems import FieldProblem
from ledger.domain.strict_json import InvalidJson, parse_json

MAX_LINE_BYTES = 256 * 1024
TOO_LONG = f"is longer than {MAX_LINE_BYTES // 1024} KB"
_SPACE = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_slices: Callable[[bytes], list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that are recorded together.

    Attributes:
        lines: index from 0 (the number of the line less one) and bytes without the end of the line; None for one
            that is too long. Blank lines are left out.
        is_last: nothing follows.
    """

    lines: list[tuple[int, bytes | None]]
    is_last: bool


def array_slices(body: bytes) -> list[bytes] | None:
    """Return the JSON texts of an array's items, None where the body is not plainly an array.

    Where one item ends and the next begins is all that is looked at: whether an item is JSON, its reader must see.
    """
    try:
        return [bytes(item) for item in _slices(body.removeprefix(_BYTE_ORDER_MARK))]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def array_values(body: bytes) -> list[Any]:
    """Return the items of a JSON array.

    Raises:
        Problem: 400 when the body is not JSON as a whole, or not an array.
    """
    try:
        values = parse_json(body.removeprefix(_BYTE_ORDER_MARK))
    except InvalidJson as error:
        raise not_json(str(error)) from None
    if not isinstance(values, list):
        raise not_json("must be an array of events, or one event a line as application/x-ndjson")
    return values


def line_batches(
    chunks: Iterable[bytes], *, most_lines: int, most_bytes: int, first_lines: int | None = None
) -> Iterator[Lines]:
    """Yield the lines of NDJSON some at a time: as many as `most_lines`, or fewer that fill `most_bytes`.

    Args:
        first_lines: how many the first batch has at most, if not as many as the others.
    """
    batch: list[tuple[int, bytes | None]] = []
    size = 0
    limit = most_lines if first_lines is None else first_lines
    for index, line in enumerate(_lines(chunks)):
        if len(batch) >= limit or size >= most_bytes:
            yield Lines(batch, False)
            batch, size, limit = [], 0, most_lines
        if line is None:
            batch.append((index, None))
        elif line.strip(_SPACE):
            batch.append((index, line))
            size += len(line)
    yield Lines(batch, True)


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
