"""CSV of a bank, a card or a spreadsheet: the header names a date and an amount, the rest is detected.

What the content cannot tell (03/04/2024, 1,234, amounts that are all positive) is asked for, not guessed.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from ledger.importers.csv_amounts import AmbiguousMark, InvalidNumber, detect_decimal_mark, read_number
from ledger.importers.csv_dates import AmbiguousOrder, InvalidMoment, detect_order, read_moment
from ledger.importers.csv_header import plain_name
from ledger.importers.csv_mapping import (
    COLUMNS,
    IN_WORDS,
    OUT_WORDS,
    CsvChoices,
    CsvMapping,
    RecordReader,
    column_index,
)
from ledger.importers.csv_table import Table, has_table, open_table
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import FileRefused, Found

SAMPLE_RECORDS = 2_000

# Our field -> names that banks give its column, the better ones first. Compared by `plain_name`.
NAMES: Mapping[str, tuple[str, ...]] = {
    "occurred_at": (
        "occurred at", "completed date", "booking date", "posting date", "posted date", "transaction date",
        "date", "date posted", "trans. date", "datetime", "timestamp", "time", "value date", "buchungstag",
        "buchungsdatum", "datum", "valuta", "date opération", "date de comptabilisation", "fecha", "data",
    ),
    "amount": (
        "amount", "transaction amount", "net amount", "amount minor", "amount cents", "net", "value",
        "betrag", "umsatz", "montant", "importe", "importo", "bedrag",
    ),
    "debit": (
        "debit", "debit amount", "withdrawal", "withdrawals", "money out", "paid out", "soll", "débit", "cargo",
    ),
    "credit": (
        "credit", "credit amount", "deposit", "deposits", "money in", "paid in", "haben", "crédit", "abono",
    ),
    "direction": ("direction", "debit/credit", "dr/cr", "cr/dr", "credit/debit indicator", "soll/haben"),
    "kind": ("kind", "type", "transaction type", "buchungstext"),
    "currency": ("currency", "ccy", "currency code", "währung", "devise", "moneda", "divisa"),
    "balance": ("balance", "running balance", "running balance minor", "balance after", "saldo", "solde"),
    "description": (
        "description", "memo", "narrative", "details", "reference text", "comment", "verwendungszweck", "libellé",
        "concepto",
    ),
    "category": ("category", "kategorie"),
    "counterparty": (
        "counterparty", "payee", "merchant", "name", "beneficiary", "payer", "empfänger", "auftraggeber/empfänger",
    ),
    "external_ref": ("external ref", "external id", "transaction id", "id", "fitid"),
}  # fmt: skip
# Names that say that the amount counts cents.
MINOR_UNIT_NAMES = frozenset(("amount minor", "amount cents"))


def recognises(head: bytes) -> bool:
    return has_table(head, _columns_known(CsvChoices()))


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    choices = context.choices
    table = open_table(
        stream,
        columns_known=_columns_known(choices),
        expected="a column for the date and one for the amount (or debit and credit)",
    )
    reader = RecordReader(detect_mapping(table, context), table.header)
    return (reader.read(record) for record in table.records())


def header_of(stream: BinaryIO, choices: CsvChoices) -> tuple[str, ...]:
    """Return the names of the columns of a file, given what the choices call them.

    Raises:
        FileRefused: there is no such header.
    """
    table = open_table(
        stream,
        columns_known=_columns_known(choices),
        expected="a column for the date and one for the amount (or debit and credit)",
    )
    return table.header.names


def detect_mapping(table: Table, context: ImportContext) -> CsvMapping:
    """Choose columns by the header's names and notation by the first SAMPLE_RECORDS records.

    Raises:
        FileRefused: no records, or something that must not be guessed and that the choices do not state.
    """
    choices = context.choices
    columns = _columns(table.header.names, choices)
    index = {field: column_index(table.header, column) for field, column in columns.items()}
    sample = table.sample(count=SAMPLE_RECORDS)
    if not sample:
        raise FileRefused(f"there is no record that fits the header on line {table.header.line}")
    values = {
        field: [cells[place].strip() for cells in sample if cells[place].strip()] for field, place in index.items()
    }
    _drop_ids_that_repeat(columns, values)
    _take_kind_for_direction(columns, values)
    timezone = choices.timezone or context.timezone
    date_order = choices.date_order or _detected(
        detect_order, values["occurred_at"], AmbiguousOrder, "the date order (--date-order dmy or mdy)"
    )
    numbers = [text for field in ("amount", "debit", "credit") for text in values.get(field, ())]
    decimal_mark = choices.decimal_mark or _detected(
        detect_decimal_mark, numbers, AmbiguousMark, "the decimal mark (--decimal . or ,)"
    )
    moments = []
    for text in values["occurred_at"][:1] + values["occurred_at"][-1:]:
        try:
            moments.append(read_moment(text, order=date_order, timezone=timezone))
        except InvalidMoment:
            continue
    return CsvMapping(
        source=choices.source or "csv",
        columns=columns,
        account=context.account,
        currency=choices.currency or context.currency,
        timezone=timezone,
        date_order=date_order,
        decimal_mark=decimal_mark,
        positive_is=choices.positive_is or _positive_is(columns, values, decimal_mark),
        minor_units=plain_name(columns.get("amount", "")) in MINOR_UNIT_NAMES,
        newest_first=len(moments) == 2 and moments[0] > moments[1],
    )


def _columns(names: tuple[str, ...], choices: CsvChoices) -> dict[str, str]:
    """Our field -> the file's column, for every field that the header offers or the choices name."""
    present = {plain_name(name): name for name in reversed(names)}
    found: dict[str, str] = {}
    for field in COLUMNS:
        chosen = choices.columns.get(field)
        wanted = (plain_name(chosen),) if chosen is not None else NAMES.get(field, ())
        column = next((present[name] for name in wanted if name in present), None)
        if column is not None:
            found[field] = column
    if choices.currency is not None:
        found.pop("currency", None)
    if "amount" in found and "amount" not in choices.columns and "debit" in found and "credit" in found:
        # Both ways of stating the same thing; the pair carries its sign.
        del found["amount"]
    return found


def _columns_known(choices: CsvChoices) -> Callable[[tuple[str, ...]], int]:
    def count(names: tuple[str, ...]) -> int:
        found = _columns(names, choices)
        complete = "occurred_at" in found and bool(found.keys() & {"amount", "debit", "credit"})
        return len(found) if complete and found.keys() >= choices.columns.keys() else 0

    return count


def _drop_ids_that_repeat(columns: dict[str, str], values: dict[str, list[str]]) -> None:
    """A column that is named like an id and repeats itself is none: its lines are told apart by their content."""
    ids = values.get("external_ref", [])
    if len(set(ids)) < len(ids):
        del columns["external_ref"], values["external_ref"]


def _take_kind_for_direction(columns: dict[str, str], values: dict[str, list[str]]) -> None:
    """Some banks call the column `Type` and write DEBIT and CREDIT into it."""
    words = {word.lower() for word in values.get("kind", ())}
    if "direction" not in columns and words and words <= IN_WORDS | OUT_WORDS:
        columns["direction"] = columns.pop("kind")
        values["direction"] = values.pop("kind")


def _detected[Found](
    detect: Callable[[list[str]], Found], texts: list[str], ambiguous: type[ValueError], choice: str
) -> Found:
    try:
        return detect(texts)
    except ambiguous as error:
        raise FileRefused(f"{error}: choose {choice}") from error


def _positive_is(columns: Mapping[str, str], values: Mapping[str, list[str]], decimal_mark: str) -> str:
    if "amount" not in columns or "direction" in columns:
        return "in"
    for text in values["amount"]:
        try:
            if read_number(text, decimal_mark=decimal_mark) < 0:
                return "in"
        except InvalidNumber:
            continue
    raise FileRefused(
        "no amount has a sign, so they could be all income or all expenses: choose what an amount without a sign "
        "is (--positive in or out)"
    )


IMPORTER = Importer(
    name="csv", label="CSV of a bank or a spreadsheet", specificity=10, recognises=recognises, rows=rows
)
