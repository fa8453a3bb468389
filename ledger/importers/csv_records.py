"""Splits delimited text into records and never loses a line: what a broken quote would swallow is read again."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from ledger.importers.text import MAX_LINE_CHARACTERS, Line

# A cell may hold line breaks (an address, a note); a quote still open after this many lines is a stray one.
MAX_RECORD_LINES = 50


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a CSV file.

    Attributes:
        line: number of the physical line on which it begins.
        cells: its values as written; empty when there is a problem.
        problem: why it could not be split; empty when it could.
    """

    line: int
    cells: tuple[str, ...]
    problem: str = ""


class _Lines:
    """Lines that can be handed back."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._returned: list[Line] = []

    def next(self) -> Line | None:
        return self._returned.pop() if self._returned else next(self._lines, None)

    def give_back(self, lines: list[Line]) -> None:
        self._returned.extend(reversed(lines))


def records(lines: Iterator[Line], *, delimiter: str) -> Iterator[Record]:
    """Yield every record that is not blank. Quotes are doubled inside quoted cells, as RFC 4180 says."""
    source = _Lines(lines)
    while (line := source.next()) is not None:
        if line.problem:
            yield Record(line=line.number, cells=(), problem=line.problem)
        elif '"' in line.text:
            yield _quoted_record(line, source, delimiter)
        else:
            cells = tuple(line.text.split(delimiter))
            # Spreadsheets end their files with rows of nothing.
            if not all(map(_is_blank, cells)):
                yield Record(line=line.number, cells=cells)


def _is_blank(cell: str) -> bool:
    return not cell or cell.isspace()


def _quoted_record(first: Line, source: _Lines, delimiter: str) -> Record:
    taken: list[Line] = []

    def physical_lines() -> Iterator[str]:
        yield first.text + "\n"
        characters = len(first.text)
        while len(taken) < MAX_RECORD_LINES and characters < MAX_LINE_CHARACTERS:
            line = source.next()
            if line is None:
                return
            taken.append(line)
            if line.problem:
                return
            characters += len(line.text)
            yield line.text + "\n"

    try:
        cells = next(csv.reader(physical_lines(), delimiter=delimiter, strict=True))
    except csv.Error as error:
        source.give_back(taken)
        message = str(error)
        if message == "unexpected end of data":
            message = "a quote is opened in this line and not closed"
        return Record(line=first.number, cells=(), problem=message)
    return Record(line=first.number, cells=tuple(cells))
