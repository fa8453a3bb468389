"""capstack's own CSV: one column per field of a capital event, values exactly as the API takes them."""

from collections.abc import Iterator
from typing import BinaryIO

from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.importers.csv_header import plain_name
from ledger.importers.csv_mapping import column_index, width_problem
from ledger.importers.csv_records import Record
from ledger.importers.csv_table import has_table, open_table
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import BadRow, FileRefused, Found, Row, bad_row

REQUIRED = ("source", "event_type", "amount", "currency")
FIELDS = (*REQUIRED, "occurred_at", "direction", "account", "category", "counterparty", "external_ref", "metadata")
_BY_PLAIN_NAME = {plain_name(field): field for field in FIELDS}


def columns_known(names: tuple[str, ...]) -> int:
    known = {plain_name(name) for name in names}
    return len(known & _BY_PLAIN_NAME.keys()) if known.issuperset(map(plain_name, REQUIRED)) else 0


def recognises(head: bytes) -> bool:
    return has_table(head, columns_known)


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    table = open_table(stream, columns_known=columns_known, expected=f"the columns {', '.join(REQUIRED)}")
    fields: list[str] = []
    for name in table.header.names:
        field = _BY_PLAIN_NAME.get(plain_name(name))
        if field is None:
            raise FileRefused(f"the header on line {table.header.line} has an unknown column {name[:60]!r}")
        column_index(table.header, field)
        fields.append(field)
    return (_row(record, fields, context) for record in table.records())


def _row(record: Record, fields: list[str], context: ImportContext) -> Row | BadRow:
    problem = record.problem or width_problem(record, len(fields))
    if problem:
        return bad_row(line=record.line, field="line", message=problem)
    event: dict[str, object] = {
        field: cell.strip() for field, cell in zip(fields, record.cells, strict=False) if cell.strip()
    }
    if context.account is not None:
        event.setdefault("account", context.account)
    metadata = event.get("metadata")
    if isinstance(metadata, str) and metadata.startswith("{"):
        try:
            event["metadata"] = parse_json(metadata)
        except InvalidJson as error:
            return bad_row(
                line=record.line, field="metadata", message=f"begins like an object and is not JSON: {error}"
            )
    return Row(line=record.line, event=event)


IMPORTER = Importer(
    name="capstack", label="capstack CSV, one column per field", specificity=20, recognises=recognises, rows=rows
)
