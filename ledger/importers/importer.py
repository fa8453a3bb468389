"""What a file format is to the rest of capstack, and what it is read against."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ledger.domain.cloud_bill import BillLine
from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.row import BadRow, Row

# Detection looks at no more of a file than this.
HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class ImportContext:
    """What a file is read against.

    Attributes:
        account: name of the account for lines that name none; None leaves it to the company's first bank account.
        currency: for lines without a currency.
        timezone: of the account; a date without a time is noon here.
        choices: what the person who imports knows about a CSV file and the file does not say.
    """

    account: str | None
    currency: str
    timezone: ZoneInfo
    choices: CsvChoices


@dataclass(frozen=True, slots=True)
class Importer:
    """One file format.

    Attributes:
        name: what `--format` takes.
        label: for people.
        specificity: of the importers that recognise a file, the most specific one reads it.
        recognises: whether the first HEAD_BYTES of a decompressed file look like this format.
        rows: yields one Row or BadRow per record of a decompressed, seekable stream that stands at its beginning,
            without holding more than one record in memory. Raises FileRefused when the file as a whole is not this
            format.
        bills: it yields lines of cloud bills in place of rows; a bill is imported whole or not at all.
    """

    name: str
    label: str
    specificity: int
    recognises: Callable[[bytes], bool]
    rows: Callable[[BinaryIO, ImportContext], Iterator[Row | BadRow | BillLine]]
    bills: bool = False
