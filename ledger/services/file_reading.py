"""How a file is read: by which importer, with which choices, against which accounts of the company."""

from dataclasses import dataclass
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ledger.domain.company import CompanyRef
from ledger.importers import bank_csv
from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.importer import HEAD_BYTES, ImportContext, Importer
from ledger.importers.registry import AUTO, detect, importer_named
from ledger.importers.signature import refuse_foreign_formats
from ledger.importers.source import MAX_PLAIN_BYTES, plain_stream
from ledger.models.account import Account, AccountKind
from ledger.services.account_numbers import known_accounts
from ledger.services.saved_mappings import Reading, reading


@dataclass(frozen=True, slots=True)
class FileReading:
    """Attributes:
    how: what was asked for, filled up from a saved mapping.
    """

    importer: Importer
    how: Reading


def file_reading(
    *,
    company_id: int,
    plain: BinaryIO,
    format_name: str,
    choices: CsvChoices,
    account: str | None,
    mapping: str | None,
) -> FileReading:
    """Return how a file is read, judged by its beginning where it is not stated.

    Args:
        plain: decompressed and seekable, at its beginning, where it is left.
        format_name, account, mapping: as for `ledger.services.import_events.import_events`.

    Raises:
        FileRefused: the file is of no format known here, or there is no such format or mapping.
    """
    how = reading(
        company_id=company_id,
        stream=plain,
        format_name=format_name,
        choices=choices,
        account=account,
        mapping=mapping,
    )
    return FileReading(importer=_importer(plain, how), how=how)


def inspect_file(
    *,
    company_id: int,
    stream: BinaryIO,
    format_name: str = AUTO,
    choices: CsvChoices | None = None,
    account: str | None = None,
    max_plain_bytes: int = MAX_PLAIN_BYTES,
) -> FileReading:
    """Return how a file would be read, having unpacked it to its end.

    Raises:
        FileRefused: the file is not what it says, or too large.
    """
    with plain_stream(stream, max_plain_bytes=max_plain_bytes) as plain:
        return file_reading(
            company_id=company_id,
            plain=plain,
            format_name=format_name,
            choices=choices or CsvChoices(),
            account=account,
            mapping=None,
        )


def import_context(*, company: CompanyRef, how: Reading) -> ImportContext:
    """Return what the lines of a file are read against."""
    accounts = Account.objects.filter(company_id=company.id)
    accounts = accounts.filter(name=how.account) if how.account else accounts.filter(kind=AccountKind.BANK)
    known = accounts.order_by("id").values_list("currency", "timezone").first()
    currency, timezone = known or (company.base_currency, company.timezone)
    return ImportContext(
        account=how.account,
        currency=currency,
        timezone=ZoneInfo(timezone),
        choices=how.choices,
        known_accounts=known_accounts(company_id=company.id),
    )


def _importer(plain: BinaryIO, how: Reading) -> Importer:
    """The importer that is asked for, or that fits; the stream stays at its beginning."""
    format_name = how.format_name
    if format_name == AUTO and how.choices.columns:
        # Only this format has columns to be named, and without the names its header says nothing.
        format_name = bank_csv.IMPORTER.name
    if format_name == AUTO:
        return detect(plain)
    importer = importer_named(format_name)
    refuse_foreign_formats(plain.read(HEAD_BYTES), markup=importer.is_markup)
    plain.seek(0)
    return importer
