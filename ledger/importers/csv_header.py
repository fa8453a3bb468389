"""Finds the header of a CSV file, and with it the delimiter: the line whose names mean the most to us."""

from collections.abc import Callable
from dataclasses import dataclass

from ledger.importers.csv_records import records
from ledger.importers.signature import UTF_16_MARKS
from ledger.importers.text import Line

DELIMITERS = (",", ";", "\t", "|")
# Bank exports put an account number, a period and blank lines above the table.
MAX_LINES_ABOVE_HEADER = 30


@dataclass(frozen=True, slots=True)
class Header:
    """Where the table of a CSV file begins.

    Attributes:
        line: number of the header's physical line; the first record follows.
        names: the columns' names as written, in order.
    """

    line: int
    delimiter: str
    names: tuple[str, ...]


def plain_name(name: str) -> str:
    """The form in which column names are compared: `Booking_Date ` and `booking date` are one name."""
    return " ".join(name.replace("_", " ").split()).casefold()


def find_header(sample: list[Line], *, columns_known: Callable[[tuple[str, ...]], int]) -> Header | None:
    """The line of the sample that reads best as a header.

    Args:
        columns_known: given the cells of a line, how many of them are names of columns we know; 0 when they
            cannot be a header.
    """
    best: Header | None = None
    most_known = 0
    for delimiter in DELIMITERS:
        for record in records(iter(sample[:MAX_LINES_ABOVE_HEADER]), delimiter=delimiter):
            if record.problem or len(record.cells) < 2:
                continue
            names = tuple(cell.strip() for cell in record.cells)
            known = columns_known(names)
            if known > most_known:
                best, most_known = Header(line=record.line, delimiter=delimiter, names=names), known
    return best


def head_lines(head: bytes) -> list[Line]:
    """The first lines of a file that is perhaps CSV, for detection; damaged characters do no harm here."""
    text = head.decode("utf-16" if head.startswith(UTF_16_MARKS) else "utf-8-sig", errors="replace")
    beginning = text.replace("\r\n", "\n").replace("\r", "\n").split("\n", MAX_LINES_ABOVE_HEADER)
    return [
        Line(number=number, text=line) for number, line in enumerate(beginning[:MAX_LINES_ABOVE_HEADER], start=1)
    ]
