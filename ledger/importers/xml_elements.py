"""XML as a stream of elements that are small each, however long the file is, and safe whatever it holds.

expat with the doors shut that defusedxml shuts (no document type, so no entity and nothing external), and with
bounds on depth, on text and on the size of one element; every refusal names a line.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from ledger.importers.row import FileRefused

READ_BYTES = 65_536
MAX_DEPTH = 64
MAX_TEXT_CHARACTERS = 65_536
# Of one element that is given out, with everything in it: a batch of some 10,000 payments.
MAX_PARTS = 500_000


@dataclass(slots=True)
class Element:
    """Attributes:
    name: without its namespace.
    text: of its own, without the space around it.
    """

    name: str
    line: int
    attributes: dict[str, str]
    text: str = ""
    parts: list["Element"] = field(default_factory=list)

    def all(self, *path: str) -> Iterator["Element"]:
        """Yield the elements at a path below this one."""
        if not path:
            yield self
            return
        for part in self.parts:
            if part.name == path[0]:
                yield from part.all(*path[1:])

    def first(self, *path: str) -> "Element | None":
        """Return the first of `all`: asked twenty times per entry, so without a generator for each step."""
        if not path:
            return self
        name, rest = path[0], path[1:]
        for part in self.parts:
            if part.name == name and (found := part.first(*rest)) is not None:
                return found
        return None

    def value(self, *path: str) -> str:
        """The text at a path, empty when there is nothing."""
        found = self.first(*path)
        return found.text if found is not None else ""


type Event = tuple[str, Element]
"""(`begin` or `end`, element): of a container only what stands in its tag, of other elements everything."""


def elements(stream: BinaryIO, *, containers: Callable[[str, int], bool]) -> Iterator[Event]:
    """Yield every element right in a container when it ends, and every container when it begins and when it ends.

    Args:
        containers: whether an element of this name at this depth (the root's is 0) is walked through rather than
            held as a whole.

    Raises:
        FileRefused: naming the line, when it is no well-formed XML in its encoding, declares a document type or an
            entity, is nested too deep, or an element is too large.
    """
    reader = _Reader(containers)
    while chunk := stream.read(READ_BYTES):
        yield from reader.feed(chunk, final=False)
    yield from reader.feed(b"", final=True)


class _Reader:
    def __init__(self, containers: Callable[[str, int], bool]) -> None:
        self._containers = containers
        self._open: list[Element] = []
        self._walked = 0
        self._parts = 0
        self._ready: deque[Event] = deque()
        parser = expat.ParserCreate(namespace_separator="|")
        parser.buffer_text = True
        # No parameter entity is ever read, whatever the document says about itself.
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse_declaration
        parser.EntityDeclHandler = self._refuse_declaration
        parser.ExternalEntityRefHandler = self._refuse_declaration
        self._parser = parser

    def feed(self, chunk: bytes, *, final: bool) -> Iterator[Event]:
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code) or "not well-formed"
            raise FileRefused(f"line {error.lineno}: this is not well-formed XML: {reason}") from error
        except (LookupError, ValueError) as error:
            raise FileRefused(f"line {self._parser.CurrentLineNumber}: {error}") from error
        while self._ready:
            yield self._ready.popleft()

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        depth = len(self._open)
        if depth >= MAX_DEPTH:
            raise FileRefused(f"line {line}: nested more than {MAX_DEPTH} levels deep")
        namespace, _, local = name.rpartition("|")
        element = Element(local, line, attributes)
        if depth == self._walked and self._containers(local, depth):
            element.attributes = {**attributes, "xmlns": namespace}
            self._walked += 1
            self._ready.append(("begin", element))
        elif depth > self._walked:
            self._parts += 1
            if self._parts > MAX_PARTS:
                raise FileRefused(f"line {line}: one entry holds more than {MAX_PARTS} elements")
            self._open[-1].parts.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        element = self._open.pop()
        element.text = element.text.strip()
        depth = len(self._open)
        if depth < self._walked:
            self._walked = depth
            self._ready.append(("end", element))
        elif depth == self._walked:
            self._parts = 0
            self._ready.append(("end", element))

    def _text(self, text: str) -> None:
        if self._open:
            element = self._open[-1]
            if len(element.text) + len(text) > MAX_TEXT_CHARACTERS:
                line = self._parser.CurrentLineNumber
                raise FileRefused(f"line {line}: {element.name} is longer than {MAX_TEXT_CHARACTERS} characters")
            if element.text or not text.isspace():
                element.text += text

    def _refuse_declaration(self, *_: object) -> int:
        line = self._parser.CurrentLineNumber
        raise FileRefused(f"line {line}: it declares a document type or an entity, which a statement never does")
