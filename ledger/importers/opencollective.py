"""Open Collective: the transactions of one collective, amounts in minor units, with ids and a running balance."""

from collections.abc import Iterator
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ledger.importers.csv_header import plain_name
from ledger.importers.csv_mapping import CsvMapping, RecordReader
from ledger.importers.csv_table import has_table, open_table
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import Found

COLUMNS = {
    "external_ref": "external_id",
    "occurred_at": "occurred_at",
    "amount": "amount_minor",
    "currency": "currency",
    "kind": "kind",
    "counterparty": "counterparty_hash",
    "description": "category",
    "balance": "running_balance_minor",
}
KINDS = {
    "contribution": "income",
    "added_funds": "income",
    "expense": "expense",
    "host_fee": "expense",
    "payment_processor_fee": "expense",
    # Stands only where the host gives a fee back.
    "payment_processor_cover": "adjustment",
    "balance_transfer": "transfer",
}


def columns_known(names: tuple[str, ...]) -> int:
    known = {plain_name(name) for name in names}
    return len(COLUMNS) if known.issuperset(map(plain_name, COLUMNS.values())) else 0


def recognises(head: bytes) -> bool:
    return has_table(head, columns_known)


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    table = open_table(stream, columns_known=columns_known, expected=", ".join(COLUMNS.values()))
    mapping = CsvMapping(
        source=context.choices.source or "opencollective",
        columns=COLUMNS,
        currency=context.currency,
        # The export has no offset; the times are UTC.
        timezone=ZoneInfo("UTC"),
        minor_units=True,
        kinds=KINDS,
        account=context.account,
    )
    reader = RecordReader(mapping, table.header)
    return (reader.read(record) for record in table.records())


IMPORTER = Importer(
    name="opencollective", label="Open Collective transactions", specificity=30, recognises=recognises, rows=rows
)
