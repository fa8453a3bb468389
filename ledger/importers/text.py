"""Turns bytes into numbered lines of text, whatever tool saved the file."""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ledger.importers.row import FileRefused
from ledger.importers.signature import UTF_16_MARKS

CHUNK_BYTES = 1_048_576
# 16 KiB of metadata, every character escaped, with room for the other fields.
MAX_LINE_CHARACTERS = 262_144
# Byte values to which Windows-1252 gives no character.
_CP1252_HOLES = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
# A byte that is not UTF-8 is decoded to a surrogate from U+DC80 to U+DCFF ("surrogateescape", PEP 383).
_STRAY_BYTE = re.compile("[\udc80-\udcff]")
_CHARACTER_BEYOND_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line, without its line break.

    Attributes:
        number: from 1.
        problem: why the text cannot be used; empty when it can.
    """

    number: int
    text: str
    problem: str = ""


def utf_encoding(stream: BinaryIO) -> str:
    """`utf-16` or `utf-8-sig`, by the byte order mark; UTF-16 is checked to its end.

    Raises:
        FileRefused: the mark says UTF-16 and the content is not.
    """
    mark = stream.read(2)
    stream.seek(0)
    if mark not in UTF_16_MARKS:
        return "utf-8-sig"
    decoder = codecs.getincrementaldecoder("utf-16")()
    offset = 0
    try:
        while chunk := stream.read(CHUNK_BYTES):
            decoder.decode(chunk)
            offset += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise FileRefused(
            f"not UTF-16 as its byte order mark says: {error.reason} near byte {offset + error.start}"
        ) from error
    finally:
        stream.seek(0)
    return "utf-16"


def spreadsheet_encoding(stream: BinaryIO) -> str:
    """Like `utf_encoding`, but knows that spreadsheets on Windows still save CSV as Windows-1252.

    A file that is not UTF-8 is taken for Windows-1252 when nothing speaks against it: no byte without a character
    there, and no sequence that is valid UTF-8 beyond ASCII. Otherwise it stays UTF-8, and the damaged lines are
    reported one by one.
    """
    encoding = utf_encoding(stream)
    if encoding == "utf-16":
        return encoding
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="surrogateescape")
    stray_bytes = False
    try:
        final = False
        while not final:
            chunk = stream.read(CHUNK_BYTES)
            final = not chunk
            text = decoder.decode(chunk, final=final)
            if text.isascii():
                continue
            if _CHARACTER_BEYOND_ASCII.search(text) or _CP1252_HOLES.search(chunk):
                return encoding
            stray_bytes = True
    finally:
        stream.seek(0)
    return "cp1252" if stray_bytes else encoding


def lines(stream: BinaryIO, *, encoding: str, universal_newlines: bool) -> Iterator[Line]:
    """Yield every line; a line that is too long or not text carries a problem in place of its text.

    Args:
        universal_newlines: a lone carriage return ends a line too, as in files from old spreadsheets.
    """
    text = io.TextIOWrapper(
        stream, encoding=encoding, errors="surrogateescape", newline=None if universal_newlines else "\n"
    )
    try:
        number = 0
        while piece := text.readline(MAX_LINE_CHARACTERS):
            number += 1
            if len(piece) == MAX_LINE_CHARACTERS and not piece.endswith("\n"):
                rest = "."
                while rest and not rest.endswith("\n"):
                    rest = text.readline(MAX_LINE_CHARACTERS)
                yield Line(number=number, text="", problem=f"is longer than {MAX_LINE_CHARACTERS} characters")
                continue
            line = piece.removesuffix("\n").removesuffix("\r")
            if line.isascii():
                yield Line(number=number, text=line)
            else:
                # Files that were joined, one after the other, have each its own mark.
                line = line.removeprefix("\ufeff")
                yield Line(number=number, text=line, problem=_not_text(line))
    finally:
        # The stream belongs to the caller; the wrapper would close it.
        text.detach()


def _not_text(line: str) -> str:
    stray = _STRAY_BYTE.search(line)
    return f"is not UTF-8: byte 0x{ord(stray[0]) - 0xDC00:02X} at character {stray.start() + 1}" if stray else ""
