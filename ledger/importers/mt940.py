"""MT940: the statement of SWIFT, in the dialects of many banks.

The reader is our own: the library `mt-940` joins what belongs to several accounts, raises on the dates that banks
make up (30 February) and knows no line numbers. The tests hold the two together on the files that it reads.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import BinaryIO

from ledger.domain.currency import ACTIVE_CURRENCIES, FORMER_CURRENCIES
from ledger.importers.bank_entry import BankEntry, entry_row, noon
from ledger.importers.file_accounts import KnownAccount
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.mt940_details import read_details
from ledger.importers.mt940_fields import END, Field, begins_like_mt940, fields
from ledger.importers.row import FileRefused, Found, RowProblem, bad_row, left_out
from ledger.importers.signature import UTF_16_MARKS
from ledger.importers.statement_balances import BalanceLine, StatementBalances

NAME = "mt940"
HALF_A_YEAR = timedelta(days=182)
NO_IDS = frozenset({"", "NONREF"})
# What only an intraday report has.
INTRADAY = frozenset({"34F", "90C", "90D"})
_BALANCE = re.compile(r"([CD])([0-9]{6})([A-Z]{3})?([0-9]{1,18}(?:[,.][0-9]{0,6})?)\s*")
_ENTRY = re.compile(
    r"""(?P<value>[0-9]{6})(?P<entry>[0-9]{4})?\s?
        (?P<mark>EC|ED|RC|RD|C|D)(?P<funds>[A-Z])?
        (?P<amount>[0-9]{1,18}(?:[,.][0-9]{0,6})?)
        (?P<type>[A-Z][A-Z0-9\ ]{3})?
        (?P<references>.*)""",
    re.VERBOSE | re.DOTALL,
)
_SUBFIELD = re.compile(r"\?[0-9]{2}")
_CURRENCY_AT_END = re.compile(r"(?<=[0-9/ ])([A-Z]{3})$")


def recognises(head: bytes) -> bool:
    encoding = "utf-16" if head.startswith(UTF_16_MARKS) else "utf-8-sig"
    return begins_like_mt940(head.decode(encoding, errors="replace"))


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    """Read the file twice: once to refuse what is broken before anything of it is recorded."""
    found_any = False
    for _ in _Reader(context).rows(stream):
        found_any = True
    if not found_any:
        raise FileRefused("it is a piece of MT940 without an entry and without a complete balance")
    stream.seek(0)
    yield from _Reader(context).rows(stream)


@dataclass(slots=True)
class _Entry:
    """An entry whose details may still come."""

    read: Field
    details: list[str] = field(default_factory=list)


class _Reader:
    def __init__(self, context: ImportContext) -> None:
        self._context = context
        self._source = context.choices.source or NAME
        self._account: KnownAccount | None = None
        self._currency = ""
        self._balances = StatementBalances()
        self._entry: _Entry | None = None
        self._inside = False

    def rows(self, stream: BinaryIO) -> Iterator[Found]:
        for read in fields(stream):
            if read.tag in {"86", "NS"}:
                if self._entry is not None:
                    self._entry.details += read.lines
                continue
            yield from self._settle_entry(last=False)
            yield from self._field(read)
        yield from self._settle_entry(last=True)
        yield from self._settle_balances()

    def _field(self, read: Field) -> Iterator[Found]:
        if read.tag == "20":
            self._inside = True
        elif read.tag == END:
            self._inside = False
        elif read.tag == "25":
            yield from self._take_account(read)
        elif read.tag in INTRADAY:
            raise FileRefused(
                f"line {read.line}: this is MT942, an intraday report: what it says comes again in the statement "
                "(MT940) of the day"
            )
        elif read.tag in {"60F", "60M", "62F", "62M"}:
            yield from self._balance(read)
        elif read.tag == "61":
            self._entry = _Entry(read)

    def _take_account(self, read: Field) -> Iterator[Found]:
        number = " ".join(read.lines).strip()
        if _SUBFIELD.search(number):
            # Details of an entry under another field's name: no account may be made of them.
            yield from self._settle_balances()
            self._account = None
            yield bad_row(line=read.line, field=":25:", message="holds details of an entry and no account")
            return
        currency = _CURRENCY_AT_END.search(number)
        stated = ""
        if currency is not None and currency[1] in ACTIVE_CURRENCIES | FORMER_CURRENCIES:
            stated, number = currency[1], number[: currency.start()].rstrip("/ ")
        account = self._context.accounts.of(number)
        if account != self._account:
            yield from self._settle_balances()
        self._account, self._currency = account, stated

    def _balance(self, read: Field) -> Iterator[Found]:
        match = _BALANCE.fullmatch(read.lines[0])
        if self._account is None:
            yield bad_row(line=read.line, field=f":{read.tag}:", message="stands before the account (:25:)")
            return
        if match is None:
            message = f"{read.lines[0][:40]!r} is not a balance such as C260131EUR12,50"
            yield bad_row(line=read.line, field=f":{read.tag}:", message=message)
            return
        day = _day(match[2])
        currency = match[3] or self._currency
        if day is None or not currency:
            said = f"{match[2]} is not a day" if day is None else "names no currency"
            yield bad_row(line=read.line, field=f":{read.tag}:", message=said)
            return
        amount = _number(match[4])
        line = BalanceLine(
            line=read.line, currency=currency, amount=amount if match[1] == "C" else -amount, day=day
        )
        self._currency = currency
        if read.tag == "60F":
            yield from self._settle_balances()
            self._balances.opening = line
        elif read.tag == "62F":
            self._balances.closing = line
            yield from self._settle_balances()

    def _settle_balances(self) -> Iterator[Found]:
        balances, self._balances = self._balances, StatementBalances()
        if self._account is not None:
            yield from balances.rows(account=self._account.name)

    def _settle_entry(self, *, last: bool) -> Iterator[Found]:
        if self._entry is None:
            return
        entry, self._entry = self._entry, None
        found = self._read_entry(entry, last=last)
        if not isinstance(found, BankEntry):
            self._balances.miss()
            yield found
            return
        yield entry_row(found, source=self._source)

    def _read_entry(self, entry: _Entry, *, last: bool) -> BankEntry | Found:
        read = entry.read
        match = _ENTRY.fullmatch(read.lines[0])
        rest = read.lines[1:]
        if match is None and rest:
            # Some banks break the line anywhere.
            match, rest = _ENTRY.fullmatch("".join(read.lines[:2])), read.lines[2:]
        if match is None or read.problem:
            message = read.problem or f"{read.lines[0][:40]!r} is not an entry such as 2601310131D12,50NTRFNONREF"
            return bad_row(line=read.line, field=":61:", message=message)
        if self._account is None or not self._inside:
            where = "before the account (:25:)" if self._account is None else "outside of a statement"
            return bad_row(line=read.line, field=":61:", message=f"stands {where}")
        if not self._currency:
            return bad_row(line=read.line, field=":61:", message="stands before the opening balance (:60F:)")
        mark = match["mark"]
        if mark.startswith("E"):
            return left_out(line=read.line, field=":61:", message="is expected: the bank has not booked it")
        day = _booking_day(match["value"], match["entry"])
        if day is None:
            dates = match["value"] + (match["entry"] or "")
            return bad_row(line=read.line, field=":61:", message=f"{dates} is not a day")
        # RC takes a credit back, so money goes out; RD takes a debit back.
        comes_in = mark in {"C", "RD"}
        amount = _number(match["amount"])
        amount = amount if comes_in else -amount
        self._balances.add(amount, day=day, currency=self._currency)
        details = read_details(entry.details)
        customer, _, bank = match["references"].strip().partition("//")
        review: tuple[RowProblem, ...] = ()
        if last:
            message = "is the last one, and no closing balance (:62F:) follows: is the file cut off?"
            review = (RowProblem(read.line, ":61:", message),)
        return BankEntry(
            line=read.line,
            account=self._account.name,
            amount=amount,
            currency=self._currency,
            occurred_at=noon(day, self._account.timezone),
            counterparty=details.counterparty,
            category="reversal" if mark.startswith("R") else details.booking_text.lower(),
            returns=mark.startswith("R"),
            # References of MT940 name a batch as often as a booking: they are kept, and no id.
            metadata={
                "description": details.description or " ".join(rest).strip(),
                "reference": "" if customer.strip().upper() in NO_IDS else customer.strip(),
                "bank_reference": "" if bank.strip().upper() in NO_IDS else bank.strip(),
                "end_to_end_id": details.end_to_end_id,
                "type": (match["type"] or "").strip(),
                "value_date": match["value"],
            },
            review=review,
        )


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def _day(digits: str) -> date | None:
    """The day that six digits name; two digits of a year are of this century, as no start-up is older."""
    try:
        return date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return None


def _booking_day(value: str, entry: str | None) -> date | None:
    """The day of the booking: month and day of the entry, in the year next to the value date; else that.

    Banks value interest by 30 February, so the value date need not be in the calendar where an entry date stands.
    """
    valued = _day(value)
    if entry is None:
        return valued
    year = int(value[:2])
    same_year = _day(f"{year:02}{entry}")
    if valued is not None and same_year is not None and abs(same_year - valued) <= HALF_A_YEAR:
        return same_year
    near = [_day(f"{(year - 1) % 100:02}{entry}"), same_year, _day(f"{(year + 1) % 100:02}{entry}")]
    if valued is None:
        return near[1]
    days = [day for day in near if day is not None and abs(day - valued) <= HALF_A_YEAR]
    return min(days, key=lambda day: abs(day - valued)) if days else None


IMPORTER = Importer(
    name=NAME, label="MT940 bank statement", specificity=30, recognises=recognises, rows=rows, passes=2
)
