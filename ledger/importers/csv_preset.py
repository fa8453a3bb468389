"""CSV exports of one provider, whose columns and words are known: nothing about them needs to be detected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from ledger.importers.csv_header import Header, plain_name
from ledger.importers.csv_mapping import width_problem
from ledger.importers.csv_records import Record
from ledger.importers.csv_table import Table, has_table, open_table
from ledger.importers.row import FileRefused


@dataclass(frozen=True, slots=True)
class Preset:
    """Attributes:
    required: names of columns without which a file is no such export.
    known: names of further columns that are read where they are there.
    """

    required: tuple[str, ...]
    known: tuple[str, ...] = ()

    def columns_known(self, names: tuple[str, ...]) -> int:
        plain = {plain_name(name) for name in names}
        wanted = {plain_name(name) for name in self.required}
        return len(plain) if plain >= wanted else 0

    def recognises(self, head: bytes) -> bool:
        return has_table(head, self.columns_known)

    def open(self, stream: BinaryIO) -> "PresetTable":
        """Raises FileRefused when the file has no such header, or a column of it twice."""
        table = open_table(stream, columns_known=self.columns_known, expected=", ".join(self.required))
        return PresetTable(table, self._places(table.header))

    def _places(self, header: Header) -> Mapping[str, int]:
        places: dict[str, int] = {}
        wanted = {plain_name(name): name for name in (*self.required, *self.known)}
        for place, name in enumerate(header.names):
            column = wanted.get(plain_name(name))
            if column is None:
                continue
            if column in places:
                raise FileRefused(f"the header on line {header.line} has the column {name!r} twice")
            places[column] = place
        return places


@dataclass(frozen=True, slots=True)
class Cells:
    """One record by the names of its columns.

    Attributes:
        problem: why it could not be split; empty when it could.
    """

    line: int
    problem: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, column: str) -> str:
        """The cell of a column without the space around it; empty when the file does not have the column."""
        return self.values.get(column, "")


@dataclass(frozen=True, slots=True)
class PresetTable:
    table: Table
    places: Mapping[str, int]

    def cells(self) -> Iterator[Cells]:
        width = len(self.table.header.names)
        return (self._cells(record, width) for record in self.table.records())

    def _cells(self, record: Record, width: int) -> Cells:
        problem = record.problem or width_problem(record, width)
        if problem:
            return Cells(line=record.line, problem=problem)
        values = {column: record.cells[place].strip() for column, place in self.places.items()}
        return Cells(line=record.line, values=values)
