"""The fields of an MT940 file, whatever a bank wraps around them and wherever it breaks its lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ledger.importers.text import lines, spreadsheet_encoding

# A field begins with one of these. What else looks like a tag (a time `:12:11`) is text of the one before.
TAGS = (
    "20", "21", "25", "28", "28C", "60F", "60M", "61", "86", "62F", "62M", "64", "65", "13", "13D", "34F", "90C",
    "90D", "NS",
)  # fmt: skip
MAX_FIELD_LINES = 200
END = "end"
_TAG = re.compile(rf":({'|'.join(TAGS)}):(.*)", re.DOTALL)
_END_OF_MESSAGE = re.compile(r"-(?:XXX|\}.*)?\s*")
_STRAY_BYTE = re.compile("[\udc80-\udcff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_ENVELOPE = re.compile(r"(?:\{[0-9]:[^{}]*(?:\{[^{}]*\})*[^{}]*\})*\{4:")


@dataclass(frozen=True, slots=True)
class Field:
    """Attributes:
    tag: one of TAGS, or END where a message ends.
    lines: its text, line by line.
    problem: why the text cannot be used; empty when it can.
    """

    line: int
    tag: str
    lines: tuple[str, ...]
    problem: str = ""


def begins_like_mt940(text: str) -> bool:
    """Whether one of the first lines begins a field of a statement."""
    beginning = text.replace("\r\n", "\n").replace("\r", "\n").split("\n", 12)[:12]
    return any(_TAG.match(_plain(line)) for line in beginning)


def fields(stream: BinaryIO) -> Iterator[Field]:
    """Yield every field, and END where a message ends. A byte that is no character is replaced: it is no money."""
    begun: Field | None = None
    for line in lines(stream, encoding=spreadsheet_encoding(stream), universal_newlines=True):
        text = _plain(line.text)
        problem = line.problem if not line.text else ""
        match = _TAG.match(text)
        if match is not None:
            if begun is not None:
                yield begun
            begun = Field(line.number, match[1], (match[2],), problem)
        elif _END_OF_MESSAGE.fullmatch(text):
            if begun is not None:
                yield begun
            begun = None
            yield Field(line.number, END, ())
        elif begun is not None:
            if len(begun.lines) >= MAX_FIELD_LINES:
                problem = problem or f"has more than {MAX_FIELD_LINES} lines"
                begun = Field(begun.line, begun.tag, begun.lines, problem)
            else:
                begun = Field(begun.line, begun.tag, (*begun.lines, text), begun.problem or problem)
    if begun is not None:
        yield begun


def _plain(text: str) -> str:
    if text.isascii() and text.isprintable() and "{" not in text:
        return text
    return _ENVELOPE.sub("", _CONTROL.sub("", _STRAY_BYTE.sub("�", text)).lstrip("﻿"), count=1)
