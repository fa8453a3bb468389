"""What a file format is to the rest of capstack, and what it is read against."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.file_accounts import FileAccounts, KnownAccount
from ledger.importers.row import Found

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
        known_accounts: accounts that earlier files of the company spoke of, by `file_accounts.fingerprint`.
        accounts: those that this file speaks of, as far as it has been read.
    """

    account: str | None
    currency: str
    timezone: ZoneInfo
    choices: CsvChoices
    known_accounts: Mapping[bytes, KnownAccount] = field(default_factory=dict)
    accounts: FileAccounts = field(init=False)

    def __post_init__(self) -> None:
        accounts = FileAccounts(account=self.account, timezone=self.timezone, known=self.known_accounts)
        object.__setattr__(self, "accounts", accounts)


@dataclass(frozen=True, slots=True)
class Importer:
    """One file format.

    Attributes:
        name: what `--format` takes.
        label: for people.
        specificity: of the importers that recognise a file, the most specific one reads it.
        recognises: whether the first HEAD_BYTES of a decompressed file look like this format.
        rows: yields what it finds in a decompressed, seekable stream that stands at its beginning, record by
            record and in the order of the file, without holding more than one record in memory, and the same each
            time it reads the same bytes in the same context. Raises FileRefused when the file as a whole is not
            this format.
        is_markup: the format is XML, which no other one is.
        passes: how often `rows` reads the file to its end.
        bills: it yields lines of cloud bills in place of rows; a bill is imported whole or not at all.
    """

    name: str
    label: str
    specificity: int
    recognises: Callable[[bytes], bool]
    rows: Callable[[BinaryIO, ImportContext], Iterator[Found]]
    is_markup: bool = False
    passes: int = 1
    bills: bool = False
