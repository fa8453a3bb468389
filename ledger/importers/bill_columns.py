"""Reads the cells of a cloud bill: numbers of any precision, moments that are UTC, names, and NULL for nothing."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from ledger.domain.cloud_bill import BillLine
from ledger.domain.event import EARLIEST
from ledger.importers.csv_header import Header
from ledger.importers.csv_mapping import width_problem
from ledger.importers.csv_records import Record
from ledger.importers.csv_table import Table
from ledger.importers.row import BadRow, FileRefused, RowProblem, bad_row

# Providers write numbers down to 1E-18 and with up to 38 digits; beyond that it is no bill.
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,2})?")
MOST_DIGITS = 38
_NOTHING = frozenset({"", "null"})
MAX_NAME = 255
MAX_RESOURCE = 2048


class UnreadableCell(ValueError):
    """A cell of a bill's line that cannot be read.

    Attributes:
        column: as the file names it.
    """

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class Cells:
    """One record by our names of its columns.

    Attributes:
        names: {our name: the file's name}.
    """

    values: Mapping[str, str]
    names: Mapping[str, str]

    def text(self, name: str, *, most: int = MAX_NAME) -> str:
        """The cell without blanks around it; empty where the file has no such column, nothing, or NULL."""
        value = self.values.get(name, "").strip()
        if value.lower() in _NOTHING:
            return ""
        if "\0" in value:
            raise UnreadableCell(self.names[name], "has a NUL character")
        return value[:most]

    def needed(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise UnreadableCell(self.names[name], "is missing")
        return value

    def number(self, name: str) -> Decimal | None:
        """The number in a cell, exact; None for nothing."""
        value = self.text(name)
        if not value:
            return None
        if _NUMBER.fullmatch(value) is None:
            raise UnreadableCell(self.names[name], f"is not a number: {value[:40]!r}")
        number = Decimal(value)
        if number and (number.adjusted() >= MOST_DIGITS or int(number.as_tuple().exponent) < -2 * MOST_DIGITS):
            raise UnreadableCell(self.names[name], f"is out of range: {value[:40]!r}")
        return number

    def needed_number(self, name: str) -> Decimal:
        number = self.number(name)
        if number is None:
            raise UnreadableCell(self.names[name], "is missing")
        return number

    def moment(self, name: str) -> datetime:
        """An instant in UTC. The formats say that theirs are UTC, so one without an offset is, too."""
        return self._moment(name, self.needed(name))

    def moment_or_none(self, name: str) -> datetime | None:
        """The same; None for nothing."""
        value = self.text(name)
        return self._moment(name, value) if value else None

    def _moment(self, name: str, value: str) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise UnreadableCell(self.names[name], f"is not a time in ISO 8601: {value[:40]!r}") from None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if moment < EARLIEST:
            raise UnreadableCell(self.names[name], f"is before 1999: {value[:40]!r}")
        return moment


def column_names(header: Header, *, known: Mapping[str, str], plain: Callable[[str], str]) -> dict[str, int]:
    """Return {our name: position} of the columns we read.

    Args:
        known: {our name: the column's plain name}.

    Raises:
        FileRefused: a column we read is there twice.
    """
    names = [plain(name) for name in header.names]
    found = {}
    for ours, theirs in known.items():
        if names.count(theirs) > 1:
            raise FileRefused(f"the header on line {header.line} names {theirs} twice")
        if theirs in names:
            found[ours] = names.index(theirs)
    return found


def bill_lines(
    table: Table,
    *,
    known: Mapping[str, str],
    plain: Callable[[str], str],
    read: Callable[[int, Cells], BillLine],
) -> Iterator[BillLine | BadRow]:
    """Yield the lines of a bill.

    A header that comes again is skipped: several files of one bill are imported as one, one after the other.

    Args:
        known: {our name: the column's plain name}; every one of them in `needed` cells is read by `read`.
        read: makes a line of a physical line's number and its cells; raises UnreadableCell.
    """
    header = table.header
    columns = column_names(header, known=known, plain=plain)
    names = {ours: header.names[columns[ours]] if ours in columns else theirs for ours, theirs in known.items()}
    for record in table.records():
        yield from _line(record, header, columns, names, read)


def _line(
    record: Record,
    header: Header,
    columns: Mapping[str, int],
    names: Mapping[str, str],
    read: Callable[[int, Cells], BillLine],
) -> Iterator[BillLine | BadRow]:
    problem = record.problem or width_problem(record, len(header.names))
    if problem:
        yield bad_row(line=record.line, field="line", message=problem)
        return
    if tuple(cell.strip() for cell in record.cells) == header.names:
        return
    cells = Cells({ours: record.cells[place] for ours, place in columns.items()}, names)
    try:
        yield read(record.line, cells)
    except UnreadableCell as error:
        yield BadRow(
            line=record.line, problems=(RowProblem(line=record.line, field=error.column, message=str(error)),)
        )
