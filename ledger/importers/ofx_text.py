"""OFX as a stream of tags: version 1 (SGML, whose values close no tag) and version 2 (XML) are one thing here.

Nothing is ever looked up or expanded but the five entities of XML and characters by number, so neither an entity
bomb nor an external entity can do anything; a file that declares any is refused.
"""

import codecs
import html
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ledger.importers.row import FileRefused
from ledger.importers.signature import UTF_16_MARKS
from ledger.importers.text import spreadsheet_encoding, utf_encoding

READ_CHARACTERS = 65_536
# A memo has 255 characters by the book, and banks write longer ones.
MAX_VALUE_CHARACTERS = 65_536
XML_ENCODINGS = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso8859-1", "windows-1252", "cp1252"}
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._]{0,63}")
_STRAY_BYTE = re.compile("[\udc80-\udcff]")
# Nearly every tag: with a plain value, and another tag behind it. Anything else is scanned step by step.
_PLAIN = re.compile(rf"<(/?)([A-Za-z][A-Za-z0-9._]{{0,63}})>([^<&]{{0,{MAX_VALUE_CHARACTERS}}})(?=<[A-Za-z/])")


class Tag(NamedTuple):
    """A tag and the text up to the next one. A tuple, for there are a dozen of it per entry.

    Attributes:
        name: in capitals; with a leading `/` when it closes something.
        value: without the space around it.
    """

    line: int
    name: str
    value: str


def encoding_of(stream: BinaryIO) -> str:
    """The encoding of an OFX file; the stream stays at its beginning.

    Version 1 says CHARSET:1252 whatever it holds, so its bytes are asked; version 2 is XML and must keep its word.

    Raises:
        FileRefused: the byte order mark or the declaration is wrong, or names an encoding that is not read.
    """
    head = stream.read(512)
    stream.seek(0)
    if head.startswith(UTF_16_MARKS):
        return utf_encoding(stream)
    declared = _DECLARED.match(head.removeprefix(codecs.BOM_UTF8))
    if declared is None:
        return spreadsheet_encoding(stream)
    name = declared[1].decode().lower()
    if name not in XML_ENCODINGS:
        raise FileRefused(f"line 1: the encoding {name} is not read here: save the file as UTF-8")
    return "utf-8-sig" if name in {"utf-8", "utf8"} else name


def tags(stream: BinaryIO) -> Iterator[Tag]:
    """Yield every tag of an OFX file, in order. What stands before the first one (the header) is left out.

    Raises:
        FileRefused: naming the line, when it is not text in its encoding, a tag is cut off, a value has no end, or
            a document type or entity is declared.
    """
    encoding = encoding_of(stream)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline=None)
    try:
        yield from _Scanner(text, encoding).tags()
    finally:
        # The stream belongs to the caller; the wrapper would close it.
        text.detach()


class _Scanner:
    def __init__(self, text: io.TextIOWrapper, encoding: str) -> None:
        self._text = text
        self._encoding = encoding.removesuffix("-sig")
        self._buffer = ""
        self._at = 0
        self._line = 1

    def tags(self) -> Iterator[Tag]:
        self._take_until("<", what="the header")
        while self._buffer:
            while (plain := _PLAIN.match(self._buffer, self._at)) is not None:
                closes, name, value = plain.groups()
                line = self._line
                self._at = plain.end()
                self._line += value.count("\n")
                yield Tag(line, f"/{name.upper()}", "") if closes else Tag(line, name.upper(), value.strip())
            line = self._line
            if self._starts_with("<![CDATA["):
                raise FileRefused(f"line {line}: text stands outside of any tag")
            if self._starts_with("<!--"):
                self._skip("-->", what="a comment")
                self._take_until("<", what="the text after a comment")
                continue
            if self._starts_with("<!"):
                raise FileRefused(f"line {line}: it declares a document type or an entity, which OFX never does")
            if self._starts_with("<?"):
                self._skip("?>", what="a processing instruction")
                self._take_until("<", what="the text after a processing instruction")
                continue
            name = self._skip(">", what="a tag")[1:-1].strip()
            closing, empty = name.startswith("/"), name.endswith("/")
            name = name.strip("/").strip()
            if not _NAME.fullmatch(name):
                raise FileRefused(f"line {line}: <{name[:40]}> is not a tag of OFX")
            value = self._value()
            name = name.upper()
            yield Tag(line, f"/{name}" if closing else name, "" if closing else value)
            if empty:
                yield Tag(line, f"/{name}", "")

    def _value(self) -> str:
        pieces = [html.unescape(self._take_until("<", what="a value"))]
        while self._buffer and self._starts_with("<![CDATA["):
            pieces.append(self._skip("]]>", what="a CDATA section")[9:-3])
            pieces.append(html.unescape(self._take_until("<", what="a value")))
        return "".join(pieces).strip()

    def _starts_with(self, text: str) -> bool:
        if len(self._buffer) - self._at < len(text):
            self._fill()
        return self._buffer.startswith(text, self._at)

    def _skip(self, end: str, *, what: str) -> str:
        """Take everything to the end of a mark."""
        line = self._line
        taken = self._find(end, what=what)
        if taken is None:
            raise FileRefused(
                f"line {line}: {what} begins here and does not end, perhaps because the file is cut off"
            )
        return self._take(taken + len(end))

    def _take_until(self, mark: str, *, what: str) -> str:
        """Take everything before a mark, or to the end of the file."""
        found = self._find(mark, what=what)
        if found is not None:
            return self._take(found)
        rest = self._take(len(self._buffer) - self._at)
        self._buffer, self._at = "", 0
        return rest

    def _find(self, mark: str, *, what: str) -> int | None:
        """Where a mark is, counted from here; None when the file ends before it."""
        place = self._buffer.find(mark, self._at)
        while place < 0:
            if len(self._buffer) - self._at > MAX_VALUE_CHARACTERS:
                raise FileRefused(f"line {self._line}: {what} is longer than {MAX_VALUE_CHARACTERS} characters")
            if not self._fill():
                return None
            place = self._buffer.find(mark, self._at)
        if place - self._at > MAX_VALUE_CHARACTERS:
            raise FileRefused(f"line {self._line}: {what} is longer than {MAX_VALUE_CHARACTERS} characters")
        return place - self._at

    def _fill(self) -> bool:
        chunk = self._text.read(READ_CHARACTERS)
        if not chunk:
            return False
        stray = None if chunk.isascii() else _STRAY_BYTE.search(chunk)
        nul = chunk.find("\0")
        if stray is not None or nul >= 0:
            place = stray.start() if stray is not None else nul
            ahead = self._buffer.count("\n", self._at) + chunk.count("\n", 0, place)
            said = f"byte 0x{ord(stray[0]) - 0xDC00:02X} is not {self._encoding}" if stray else "a NUL is no text"
            raise FileRefused(f"line {self._line + ahead}: {said}")
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return True

    def _take(self, count: int) -> str:
        taken = self._buffer[self._at : self._at + count]
        self._at += count
        self._line += taken.count("\n")
        if self._at == len(self._buffer):
            self._buffer, self._at = "", 0
            self._fill()
        return taken
