"""How the columns of a CSV file become a capital event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger.importers.csv_amounts import InvalidNumber, minor_digits, read_number
from ledger.importers.csv_dates import InvalidMoment, read_moment
from ledger.importers.csv_header import Header, plain_name
from ledger.importers.csv_records import Record
from ledger.importers.row import BadRow, FileRefused, Row, RowProblem, bad_row

# Columns a mapping can name; each holds the file's own name for it.
TEXT_COLUMNS = ("account", "category", "counterparty", "external_ref")
COLUMNS = (
    "occurred_at",
    "amount",
    "debit",
    "credit",
    "direction",
    "kind",
    "currency",
    "balance",
    "description",
    *TEXT_COLUMNS,
)

IN_WORDS = frozenset(("in", "credit", "cr", "c", "+", "deposit", "haben"))
OUT_WORDS = frozenset(("out", "debit", "dr", "d", "-", "withdrawal", "soll"))
# What the sign of an amount says where nothing else does.
TYPE_OF_DIRECTION = {"in": "income", "out": "expense"}


@dataclass(frozen=True, slots=True)
class CsvChoices:
    """What the person who imports a CSV file says about it; None and empty leave it to detection.

    Attributes:
        columns: our field (one of COLUMNS) -> the file's column.
        date_order: `dmy` or `mdy`.
        decimal_mark: `.` or `,`.
        positive_is: `in` or `out`: what an amount without a minus sign means.
        timezone: of times without an offset, and the one in which a date is noon.
        source: the events' source.
        currency: of every amount, whatever a column of the file says about it.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    date_order: str | None = None
    decimal_mark: str | None = None
    positive_is: str | None = None
    timezone: ZoneInfo | None = None
    source: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """Everything that is needed to read one record: which column is what, and how its values are written.

    Attributes:
        source: the events' source.
        columns: our field (one of COLUMNS) -> the file's column. `occurred_at` and either `amount` or one of
            `debit` and `credit` are present.
        account: for records without one; None leaves it to the company's first bank account.
        currency: for records without one.
        timezone: of times without an offset, and the one in which a date is noon.
        date_order: as in `csv_dates.read_moment`.
        decimal_mark: `.` or `,`.
        positive_is: `in` or `out`.
        minor_units: amounts and balances count the currency's minor unit, e.g. cents.
        kinds: the file's word in the column `kind` -> our event type. For other words the sign decides.
        newest_first: the order of the records, which the check of running balances needs.
    """

    source: str
    columns: Mapping[str, str]
    account: str | None
    currency: str
    timezone: ZoneInfo
    date_order: str | None = None
    decimal_mark: str = "."
    positive_is: str = "in"
    minor_units: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class Movement:
    """What one record says about cash, before it becomes an event.

    Attributes:
        amount: in the currency's major unit, cash in > 0, cash out < 0.
        balance: the running balance after it, None when the file states none.
    """

    amount: Decimal
    currency: str
    occurred_at: datetime
    balance: Decimal | None


class _Invalid(ValueError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class RecordReader:
    """Reads the records of one file by one mapping, and checks running balances from record to record."""

    def __init__(self, mapping: CsvMapping, header: Header) -> None:
        """Raises FileRefused when the header lacks a column of the mapping or has it twice."""
        self._mapping = mapping
        self._width = len(header.names)
        self._index = {field: column_index(header, column) for field, column in mapping.columns.items()}
        # The last movement per account and currency: what the next balance must follow from.
        self._last: dict[tuple[str, str], Movement] = {}

    def read(self, record: Record) -> Row | BadRow:
        """Return the record as an event, or everything that is wrong with it."""
        problem = record.problem or width_problem(record, self._width)
        if problem:
            self._last.clear()
            return bad_row(line=record.line, field="line", message=problem)
        cells = {field: record.cells[index].strip() for field, index in self._index.items()}
        problems: list[_Invalid] = []
        movement = self._movement(cells, problems)
        if movement is None:
            self._last.clear()
            return BadRow(
                line=record.line,
                problems=tuple(
                    RowProblem(line=record.line, field=each.field, message=each.message) for each in problems
                ),
            )
        review = self._balance_review(record.line, cells.get("account", ""), movement)
        return Row(line=record.line, event=self._event(cells, movement), review=review)

    def _movement(self, cells: Mapping[str, str], problems: list[_Invalid]) -> Movement | None:
        mapping = self._mapping
        currency = cells.get("currency", "").upper() or mapping.currency
        amount = balance = occurred_at = None
        try:
            amount = self._amount(cells, currency)
        except _Invalid as invalid:
            problems.append(invalid)
        try:
            if cells.get("balance"):
                balance = self._number("balance", cells["balance"], currency)
        except _Invalid as invalid:
            problems.append(invalid)
        try:
            occurred_at = read_moment(cells["occurred_at"], order=mapping.date_order, timezone=mapping.timezone)
        except InvalidMoment as error:
            problems.append(_Invalid(mapping.columns["occurred_at"], str(error)))
        if problems or amount is None or occurred_at is None:
            return None
        return Movement(amount=amount, currency=currency, occurred_at=occurred_at, balance=balance)

    def _amount(self, cells: Mapping[str, str], currency: str) -> Decimal:
        if "amount" in self._index:
            amount = self._number("amount", cells["amount"], currency)
            word = cells.get("direction", "").lower()
            if not word:
                return amount if self._mapping.positive_is == "in" else -amount
            if word in IN_WORDS:
                return abs(amount)
            if word in OUT_WORDS:
                return -abs(amount)
            raise _Invalid(self._mapping.columns["direction"], f"{word[:40]!r} says neither in nor out")
        stated = [field for field in ("debit", "credit") if cells.get(field)]
        numbers = {field: abs(self._number(field, cells[field], currency)) for field in stated}
        moving = {field: number for field, number in numbers.items() if number}
        if len(moving) != 1:
            column = self._mapping.columns.get("debit") or self._mapping.columns["credit"]
            raise _Invalid(column, "exactly one of debit and credit must state an amount")
        return moving["credit"] if "credit" in moving else -moving["debit"]

    def _number(self, field: str, text: str, currency: str) -> Decimal:
        try:
            number = read_number(text, decimal_mark=self._mapping.decimal_mark)
        except InvalidNumber as error:
            raise _Invalid(self._mapping.columns[field], str(error)) from error
        return number.scaleb(-minor_digits(currency)) if self._mapping.minor_units else number

    def _event(self, cells: Mapping[str, str], movement: Movement) -> dict[str, object]:
        direction = "in" if movement.amount > 0 else "out"
        kind = cells.get("kind", "")
        event_type = self._mapping.kinds.get(kind.casefold(), TYPE_OF_DIRECTION[direction])
        if event_type in TYPE_OF_DIRECTION.values() and event_type != TYPE_OF_DIRECTION[direction]:
            # Money that goes back: a refunded contribution is no expense, a returned fee no income.
            event_type = "adjustment"
        event: dict[str, object] = {
            "source": self._mapping.source,
            "event_type": event_type,
            "amount": f"{abs(movement.amount):f}",
            "currency": movement.currency,
            "occurred_at": movement.occurred_at.isoformat(),
        }
        if event_type not in TYPE_OF_DIRECTION.values():
            event["direction"] = direction
        event |= {field: cells[field] for field in TEXT_COLUMNS if cells.get(field)}
        if self._mapping.account is not None:
            event.setdefault("account", self._mapping.account)
        if kind and "category" not in event:
            event["category"] = kind.lower()
        metadata = {field: cells[field] for field in ("description", "kind") if cells.get(field)}
        if metadata:
            event["metadata"] = metadata
        return event

    def _balance_review(self, line: int, account: str, movement: Movement) -> tuple[RowProblem, ...]:
        key = (account, movement.currency)
        before = self._last.get(key)
        self._last[key] = movement
        if before is None or before.balance is None or movement.balance is None:
            return ()
        if self._mapping.newest_first:
            expected = before.balance - before.amount
        else:
            expected = before.balance + movement.amount
        if expected == movement.balance:
            return ()
        message = (
            f"the running balance is {movement.balance} where the lines add up to {expected}: is a line missing?"
        )
        return (RowProblem(line=line, field=self._mapping.columns["balance"], message=message),)


def column_index(header: Header, column: str) -> int:
    """Where a column stands, by name.

    Raises:
        FileRefused: the header lacks it, or has it twice.
    """
    places = [place for place, name in enumerate(header.names) if plain_name(name) == plain_name(column)]
    if not places:
        raise FileRefused(f"the header on line {header.line} has no column {column!r}")
    if len(places) > 1:
        raise FileRefused(f"the header on line {header.line} has the column {column!r} {len(places)} times")
    return places[0]


def width_problem(record: Record, width: int) -> str:
    """Why a record does not fit the width of the header; empty when it does. Surplus empty cells do no harm."""
    cells = record.cells
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        return f"has {len(cells)} cells where the header has {width}"
    return ""
