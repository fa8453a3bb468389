"""OFX and QFX: statements of banks and cards, versions 1 and 2, several accounts in one file.

The scanner is our own: `ofxtools` holds the whole file in memory, knows no line numbers and gives a file up for
one bad value. The tests hold the two together on every file that it can read.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import BinaryIO

from ledger.domain.intake import StatedBalance
from ledger.importers.bank_entry import BankEntry, entry_row
from ledger.importers.csv_amounts import minor_digits
from ledger.importers.file_accounts import KnownAccount
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.known_ids import KnownIds
from ledger.importers.ofx_text import Tag, tags
from ledger.importers.ofx_values import InvalidValue, read_amount, read_moment
from ledger.importers.row import BadRow, FileRefused, Found, LeftOut, Row, RowProblem, StatedRow, left_out
from ledger.importers.signature import UTF_16_MARKS

NAME = "ofx"
MAX_DEPTH = 64
# What is taken apart; every other tag either holds a value or is passed over.
AGGREGATES = frozenset(
    {
        "OFX", "SONRS", "STATUS", "STMTTRNRS", "CCSTMTTRNRS", "STMTRS", "CCSTMTRS", "BANKACCTFROM", "CCACCTFROM",
        "BANKACCTTO", "CCACCTTO", "BANKTRANLIST", "STMTTRN", "STMTTRNP", "PAYEE", "CURRENCY", "ORIGCURRENCY",
        "LEDGERBAL", "AVAILBAL", "BAL", "INVSTMTRS", "ACCTINFORS",
    }
)  # fmt: skip
STATEMENTS = frozenset({"STMTRS", "CCSTMTRS"})
# Types whose sign is known; another sign is worth a look.
OUT_TYPES = frozenset(
    {"DEBIT", "CHECK", "FEE", "SRVCHG", "PAYMENT", "CASH", "ATM", "POS", "DIRECTDEBIT", "REPEATPMT"}
)
IN_TYPES = frozenset({"CREDIT", "DEP", "DIRECTDEP", "INT", "DIV"})
PAID_TO_CARD = re.compile(r"\b(?:auto\W?pay|payment|thank you)\b", re.IGNORECASE)
_BEGINNING = re.compile(
    r"^\s*(?:OFXHEADER\s*:|(?:<\?xml[^>]*>\s*)?<\?OFX\b|(?:<\?xml[^>]*>\s*)?<OFX>)", re.IGNORECASE
)


def recognises(head: bytes) -> bool:
    encoding = "utf-16" if head.startswith(UTF_16_MARKS) else "utf-8-sig"
    return _BEGINNING.match(head.decode(encoding, errors="replace")) is not None


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    """Read the file twice: once to refuse what is broken before anything of it is recorded."""
    found_any = False
    for _ in _Rehearsal(context).rows(stream):
        found_any = True
    if not found_any:
        raise FileRefused("it holds a statement without entries and without a balance")
    stream.seek(0)
    yield from _Reader(context).rows(stream)


@dataclass(slots=True)
class _Aggregate:
    """An aggregate that is being read.

    Attributes:
        values: of the tags right below it, by name.
        parts: aggregates right below it, by name; the last one of a name.
    """

    name: str
    line: int
    values: dict[str, str] = field(default_factory=dict)
    parts: dict[str, "_Aggregate"] = field(default_factory=dict)

    def value(self, name: str, *, of: str | None = None) -> str:
        if of is None:
            return self.values.get(name, "")
        part = self.parts.get(of)
        return part.values.get(name, "") if part else ""


class _Reader:
    def __init__(self, context: ImportContext) -> None:
        self._context = context
        self._source = context.choices.source or NAME
        self._open: list[_Aggregate] = []
        self._ids = KnownIds()
        self._statements = 0
        self._refusal = ""

    def rows(self, stream: BinaryIO) -> Iterator[Found]:
        with closing(self._ids):
            for tag in tags(stream):
                if tag.name.startswith("/"):
                    yield from self._close(tag)
                elif tag.name in AGGREGATES:
                    yield from self._begin(tag)
                elif self._open:
                    self._open[-1].values[tag.name] = tag.value
            if self._open:
                outermost = self._open[0]
                raise FileRefused(
                    f"line {outermost.line}: <{outermost.name}> is not closed, perhaps because the file is cut off"
                )
            if not self._statements:
                raise FileRefused(self._refusal or "it holds no statement of an account")

    def _begin(self, tag: Tag) -> Iterator[Found]:
        if len(self._open) >= MAX_DEPTH:
            raise FileRefused(f"line {tag.line}: nested more than {MAX_DEPTH} levels deep")
        if self._open and self._open[-1].name == tag.name == "STMTTRN":
            cut_off = self._open.pop()
            yield _bad(
                cut_off.line, RowProblem(cut_off.line, "STMTTRN", "is not closed before the next one begins")
            )
        if tag.name == "INVSTMTRS":
            yield from self._refuse_part(tag, "a statement of investments, which are no cash", "INVSTMTRS")
        if tag.name == "ACCTINFORS":
            yield from self._refuse_part(tag, "a list of accounts and no statement", "ACCTINFORS")
        self._open.append(_Aggregate(tag.name, tag.line))

    def _refuse_part(self, tag: Tag, what: str, name: str) -> Iterator[Found]:
        self._refusal = self._refusal or f"line {tag.line}: this is {what} ({name})"
        if self._statements:
            yield left_out(line=tag.line, field=name, message=f"is {what}")

    def _close(self, tag: Tag) -> Iterator[Found]:
        name = tag.name.removeprefix("/")
        if name not in AGGREGATES or all(aggregate.name != name for aggregate in self._open):
            return
        while True:
            closed = self._open.pop()
            if closed.name == name:
                break
            if closed.name in STATEMENTS or closed.name == "STMTTRN":
                raise FileRefused(f"line {closed.line}: <{closed.name}> is not closed when </{name}> comes")
        if self._open:
            self._open[-1].parts[name] = closed
        yield from self._finished(closed)

    def _finished(self, closed: _Aggregate) -> Iterator[Found]:
        name = closed.name
        if any(aggregate.name == "INVSTMTRS" for aggregate in self._open):
            return
        if name == "STATUS" and closed.value("SEVERITY").upper() == "ERROR":
            said = f"{closed.value('CODE')} {closed.value('MESSAGE')}".strip()
            self._refusal = self._refusal or f"line {closed.line}: in place of a statement the bank answers {said}"
        elif name in STATEMENTS:
            self._statements += 1
        elif name == "STMTTRN":
            yield self._transaction(closed)
        elif name == "STMTTRNP":
            yield left_out(line=closed.line, field="STMTTRNP", message="is pending: the bank has not booked it")
        elif name == "LEDGERBAL":
            yield self._balance(closed)

    def _statement(self, line: int) -> tuple[_Aggregate, KnownAccount]:
        statement = next((aggregate for aggregate in reversed(self._open) if aggregate.name in STATEMENTS), None)
        if statement is None:
            raise FileRefused(f"line {line}: an entry or a balance stands outside of any statement")
        card = statement.name == "CCSTMTRS"
        number = statement.value("ACCTID", of="CCACCTFROM" if card else "BANKACCTFROM")
        if not number:
            raise FileRefused(f"line {statement.line}: the statement does not say of which account it is (ACCTID)")
        return statement, self._context.accounts.of(number, kind="card" if card else "bank")

    def _transaction(self, read: _Aggregate) -> Row | BadRow | LeftOut:
        statement, account = self._statement(read.line)
        problems: list[RowProblem] = []
        moment = amount = None
        try:
            moment = read_moment(read.value("DTPOSTED"), timezone_of_account=account.timezone)
        except InvalidValue as error:
            problems.append(RowProblem(read.line, "DTPOSTED", str(error)))
        try:
            amount = read_amount(read.value("TRNAMT"))
        except InvalidValue as error:
            problems.append(RowProblem(read.line, "TRNAMT", str(error)))
        try:
            money = self._money(read, statement, amount)
        except InvalidValue as error:
            problems.append(RowProblem(read.line, "CURRENCY", str(error)))
        if problems or moment is None or amount is None:
            return _bad(read.line, *problems)
        fitid = read.value("FITID")
        content = (amount, moment.at, read.value("NAME"), read.value("MEMO"), read.value("CHECKNUM"))
        if fitid and self._ids.is_reused(account.name, fitid, content=content):
            # The bank uses one id for two entries: they are told apart by what they say.
            fitid = ""
        kind = read.value("TRNTYPE").upper()
        name = read.value("NAME") or read.value("NAME", of="PAYEE")
        returns, transfer, review = self._meaning(read, kind, amount, name, card=statement.name == "CCSTMTRS")
        entry = BankEntry(
            line=read.line,
            account=account.name,
            amount=money.amount,
            currency=money.currency,
            occurred_at=moment.at,
            reference=fitid,
            counterparty=name,
            category=kind.lower(),
            returns=returns,
            own_transfer=transfer,
            metadata={
                "description": read.value("MEMO"),
                "check_number": read.value("CHECKNUM").strip("0") and read.value("CHECKNUM"),
                "reference_number": read.value("REFNUM"),
                **money.converted,
            },
            review=review,
        )
        return entry_row(entry, source=self._source)

    def _money(self, read: _Aggregate, statement: _Aggregate, amount: Decimal | None) -> "_Money":
        """The amount in the currency of the account.

        CURRENCY says that the amount is in another currency and CURRATE what one unit of it is in that of the
        account; ORIGCURRENCY, that it was converted already.
        """
        home = statement.value("CURDEF").upper()
        stated = read.value("CURSYM", of="CURRENCY").upper()
        original = read.value("CURSYM", of="ORIGCURRENCY").upper()
        amount = amount or Decimal(0)
        if stated and home and stated != home:
            rate = read_amount(read.value("CURRATE", of="CURRENCY"))
            if rate <= 0:
                raise InvalidValue(f"has a rate of {rate}")
            converted = (amount * rate).quantize(Decimal(1).scaleb(-minor_digits(home)), ROUND_HALF_EVEN)
            noted = {"original_amount": f"{amount:f}", "original_currency": stated, "rate": f"{rate:f}"}
            return _Money(converted, home, noted)
        noted = {}
        if original and original != home:
            noted = {"original_currency": original, "rate": read.value("CURRATE", of="ORIGCURRENCY")}
        return _Money(amount, home or stated or self._context.currency, noted)

    def _meaning(
        self, read: _Aggregate, kind: str, amount: Decimal, name: str, *, card: bool
    ) -> tuple[bool, bool, tuple[RowProblem, ...]]:
        """Whether money goes back, whether it stays with the company, and what is worth a look.

        XFER alone makes no transfer: banks call every wire so, also to others, and a payment that counts as a
        transfer is missing from burn. It is one when the other account is known to be the company's own. Money
        that comes onto a card is never income: it pays the card's bill from another account, or is a refund.
        """
        other = read.value("ACCTID", of="BANKACCTTO") or read.value("ACCTID", of="CCACCTTO")
        if other and self._context.accounts.owns(other):
            return False, True, ()
        if card and amount > 0:
            paid = kind in {"PAYMENT", "XFER", "DEP", "DIRECTDEP"} or PAID_TO_CARD.search(name) is not None
            return not paid, paid, ()
        unusual = (kind in OUT_TYPES and amount > 0) or (kind in IN_TYPES and amount < 0)
        if not unusual:
            return False, False, ()
        sign = "in" if amount > 0 else "out"
        review = RowProblem(read.line, "TRNTYPE", f"is {kind}, and the amount says that money came {sign}")
        return True, False, () if kind in {"FEE", "SRVCHG", "POS"} else (review,)

    def _balance(self, read: _Aggregate) -> StatedRow | BadRow | LeftOut:
        statement, account = self._statement(read.line)
        if not read.value("BALAMT"):
            return left_out(line=read.line, field="LEDGERBAL", message="states no amount")
        problems: list[RowProblem] = []
        amount = moment = None
        try:
            amount = read_amount(read.value("BALAMT"))
        except InvalidValue as error:
            problems.append(RowProblem(read.line, "BALAMT", str(error)))
        try:
            moment = read_moment(read.value("DTASOF"), timezone_of_account=account.timezone)
        except InvalidValue as error:
            problems.append(RowProblem(read.line, "DTASOF", str(error)))
        if amount is None or moment is None:
            return _bad(read.line, *problems)
        currency = statement.value("CURDEF").upper() or self._context.currency
        return StatedRow(
            line=read.line,
            balance=StatedBalance(
                account=account.name, currency=currency, amount=amount, day=moment.day, as_of=moment.at
            ),
        )


class _Rehearsal(_Reader):
    """All that refuses a file, without what its rows say: that takes as long again, and comes afterwards."""

    def _transaction(self, read: _Aggregate) -> LeftOut:
        self._statement(read.line)
        return _FOUND

    def _balance(self, read: _Aggregate) -> LeftOut:
        self._statement(read.line)
        return _FOUND


_FOUND = left_out(line=0, field="", message="was found")


@dataclass(frozen=True, slots=True)
class _Money:
    amount: Decimal
    currency: str
    converted: dict[str, str]


def _bad(line: int, *problems: RowProblem) -> BadRow:
    return BadRow(line=line, problems=problems)


IMPORTER = Importer(
    name=NAME, label="OFX or QFX, bank and card statements", specificity=40, recognises=recognises, rows=rows,
    passes=2, is_markup=True,
)  # fmt: skip
