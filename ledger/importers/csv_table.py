"""A CSV file as a header and the records below it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from ledger.importers.csv_header import MAX_LINES_ABOVE_HEADER, Header, find_header, head_lines
from ledger.importers.csv_records import Record, records
from ledger.importers.row import FileRefused
from ledger.importers.text import lines, spreadsheet_encoding

ColumnsKnown = Callable[[tuple[str, ...]], int]


@dataclass(frozen=True, slots=True)
class Table:
    """Where the records of a stream are. The stream is read anew for each walk over them."""

    stream: BinaryIO
    encoding: str
    header: Header

    def records(self) -> Iterator[Record]:
        """Yield every record below the header that is not blank."""
        self.stream.seek(0)
        for record in records(
            lines(self.stream, encoding=self.encoding, universal_newlines=True), delimiter=self.header.delimiter
        ):
            if record.line > self.header.line:
                yield record

    def sample(self, *, count: int) -> list[tuple[str, ...]]:
        """The cells of the first records that fit the header."""
        width = len(self.header.names)
        fitting = (record.cells for record in self.records() if len(record.cells) >= width)
        return list(islice(fitting, count))


def has_table(head: bytes, columns_known: ColumnsKnown) -> bool:
    """Whether the first bytes of a file contain a header of which some columns are known."""
    return find_header(head_lines(head), columns_known=columns_known) is not None


def open_table(stream: BinaryIO, *, columns_known: ColumnsKnown, expected: str) -> Table:
    """Find the table in a stream.

    Args:
        expected: what the header should have been, for the refusal.

    Raises:
        FileRefused: none of the first lines is a header of this kind.
    """
    encoding = spreadsheet_encoding(stream)
    sample = list(islice(lines(stream, encoding=encoding, universal_newlines=True), MAX_LINES_ABOVE_HEADER))
    header = find_header(sample, columns_known=columns_known)
    if header is None:
        raise FileRefused(f"no header found in the first {MAX_LINES_ABOVE_HEADER} lines: expected {expected}")
    return Table(stream=stream, encoding=encoding, header=header)
