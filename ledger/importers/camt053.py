"""CAMT.053: the end-of-day statement of ISO 20022, versions 001.02 to 001.13, of any length.

Its siblings are refused by name: what an intraday report (052) or a notification (054) says comes again in the
statement, under other ids, so reading them too would count money twice.
"""

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import BinaryIO

from ledger.domain.wall_clock import NoSuchTime, instant_at
from ledger.importers.bank_entry import BankEntry, entry_row, noon
from ledger.importers.file_accounts import KnownAccount
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.known_ids import KnownIds
from ledger.importers.row import FileRefused, Found, RowProblem, bad_row, left_out
from ledger.importers.signature import UTF_16_MARKS
from ledger.importers.statement_balances import BalanceLine, StatementBalances
from ledger.importers.xml_elements import Element, elements

NAME = "camt053"
NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.(05[234])\.001\.([0-9]{2})")
OTHERS = {
    "052": "camt.052, an intraday report: what it says comes again in the statement (camt.053) of the day",
    "054": "camt.054, a notification: what it says comes again in the statement (camt.053) of the day",
}
OLDEST_VERSION = 2
CONTAINERS = ("Document", "BkToCstmrStmt", "Stmt")
# Ids that say that there is none.
NO_IDS = frozenset({"", "NOTPROVIDED", "NONREF", "NOTAVAILABLE"})
OPENING = ("PRCD", "OPBD")
_AMOUNT = re.compile(r"[0-9]{1,18}(?:\.[0-9]{0,17})?|\.[0-9]{1,17}")
_BEGINNING = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?Document\b[^>]*urn:iso:std:iso:20022:tech:xsd:camt\.05[234]\.")


def recognises(head: bytes) -> bool:
    text = head.decode("utf-16" if head.startswith(UTF_16_MARKS) else "utf-8-sig", errors="replace")
    return text.lstrip().startswith("<") and _BEGINNING.search(text) is not None


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    """Read the file twice: once to refuse what is broken before anything of it is recorded."""
    found_any = False
    for _ in _Rehearsal(context).rows(stream):
        found_any = True
    if not found_any:
        raise FileRefused("it holds no entries and no balances")
    stream.seek(0)
    yield from _Reader(context).rows(stream)


class _Invalid(ValueError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(slots=True)
class _Statement:
    line: int
    account: KnownAccount | None = None
    balances: StatementBalances = field(default_factory=StatementBalances)
    # PRCD says the same as OPBD and says which day it means, so it goes before.
    opening_code: str = ""


@dataclass(frozen=True, slots=True)
class _Booked:
    """What the details of an entry share."""

    amount: Decimal
    currency: str
    at: datetime
    day: date
    is_reversal: bool


class _Reader:
    def __init__(self, context: ImportContext) -> None:
        self._context = context
        self._source = context.choices.source or NAME
        self._ids = KnownIds()
        self._statement: _Statement | None = None
        self._statements = 0

    def rows(self, stream: BinaryIO) -> Iterator[Found]:
        with closing(self._ids):
            for event, element in elements(stream, containers=_is_container):
                if event == "begin":
                    self._enter(element)
                elif element.name == "Stmt":
                    yield from self._leave()
                elif self._statement is not None:
                    yield from self._part(self._statement, element)
            if not self._statements:
                raise FileRefused("it holds no statement (Stmt)")

    def _enter(self, element: Element) -> None:
        if element.name == "Document":
            namespace = element.attributes["xmlns"]
            match = NAMESPACE.fullmatch(namespace)
            if match is None:
                raise FileRefused(f"line {element.line}: {namespace[:80]!r} is not camt.053")
            if match[1] in OTHERS:
                raise FileRefused(f"line {element.line}: this is {OTHERS[match[1]]}")
            if int(match[2]) < OLDEST_VERSION:
                raise FileRefused(f"line {element.line}: camt.053.001.{match[2]} is older than version 02")
        elif element.name == "Stmt":
            self._statements += 1
            self._statement = _Statement(element.line)

    def _leave(self) -> Iterator[Found]:
        statement, self._statement = self._statement, None
        if statement is not None and statement.account is not None:
            yield from statement.balances.rows(account=statement.account.name)

    def _part(self, statement: _Statement, element: Element) -> Iterator[Found]:
        if element.name == "Acct":
            number = element.value("Id", "IBAN") or element.value("Id", "Othr", "Id")
            if not number:
                raise FileRefused(f"line {element.line}: the statement does not say of which account it is")
            statement.account = self._context.accounts.of(number)
        elif element.name == "FrToDt":
            text = element.value("FrDtTm") or element.value("FrDt")
            with suppress(ValueError):
                statement.balances.first_day = date.fromisoformat(text[:10])
        elif element.name in {"Bal", "Ntry"}:
            if statement.account is None:
                raise FileRefused(f"line {element.line}: the statement does not say of which account it is")
            if element.name == "Bal":
                yield from self._balance(statement, statement.account, element)
            else:
                yield from self._entry(statement, statement.account, element)

    def _balance(self, statement: _Statement, account: KnownAccount, element: Element) -> Iterator[Found]:
        code = element.value("Tp", "CdOrPrtry", "Cd")
        if code not in {*OPENING, "CLBD"}:
            # Available and forward balances say what can be spent, not what is booked.
            return
        try:
            amount, currency = _amount(element, "Bal")
            amount = _signed(element, amount)
            text = element.value("Dt", "Dt") or element.value("Dt", "DtTm")
            at, day = _moment(text, account)
            if element.value("Dt", "DtTm"):
                # The end of a day is written as the beginning of the next one.
                day = (at - timedelta(microseconds=1)).astimezone(account.timezone).date()
        except _Invalid as error:
            yield bad_row(line=element.line, field=error.field, message=str(error))
            return
        line = BalanceLine(line=element.line, currency=currency, amount=amount, day=day)
        if code == "CLBD":
            statement.balances.closing = line
        elif statement.opening_code != OPENING[0]:
            statement.balances.opening = line
            statement.opening_code = code

    def _entry(self, statement: _Statement, account: KnownAccount, element: Element) -> Iterator[Found]:
        status = element.value("Sts", "Cd") or element.value("Sts")
        if status != "BOOK":
            named = {"PDNG": "is pending: the bank has not booked it", "INFO": "is information, and no booking"}
            message = named.get(status, f"has the status {status[:10]!r}, which is no booking")
            yield left_out(line=element.line, field="Sts", message=message)
            return
        try:
            booked = self._booked(account, element)
            statement.balances.add(booked.amount, day=booked.day, currency=booked.currency)
            entries = self._entries(account, element, booked)
        except _Invalid as error:
            statement.balances.miss()
            yield bad_row(line=element.line, field=error.field, message=str(error))
            return
        for entry in entries:
            yield entry_row(entry, source=self._source)

    def _booked(self, account: KnownAccount, element: Element) -> _Booked:
        amount, currency = _amount(element, "Ntry")
        booking, value = element.first("BookgDt"), element.first("ValDt")
        dated = booking if booking is not None and booking.parts else value
        if dated is None or not dated.parts:
            raise _Invalid("BookgDt", "is missing")
        at, day = _moment(dated.value("Dt") or dated.value("DtTm"), account)
        return _Booked(
            amount=_signed(element, amount),
            currency=currency,
            at=at,
            day=day,
            # By the standard the indicator of a reversal is that of the reversing booking itself.
            is_reversal=element.value("RvslInd") in {"true", "1"},
        )

    def _entries(self, account: KnownAccount, element: Element, booked: _Booked) -> list[BankEntry]:
        """The payments of an entry, one by one where they add up to it; else the entry as a whole."""
        details = list(element.all("NtryDtls", "TxDtls"))
        if len(details) > 1:
            amounts = [_detail_amount(detail, booked) for detail in details]
            known = [amount for amount in amounts if amount is not None]
            if len(known) == len(details) and sum(known) == booked.amount:
                return [
                    self._bank_entry(account, element, booked, detail, amount=amount, number=number)
                    for number, (detail, amount) in enumerate(zip(details, known, strict=True), start=1)
                ]
            message = f"has {len(details)} payments whose amounts the bank does not all state"
            if len(known) == len(details):
                message = f"is {booked.amount} where its {len(details)} payments add up to {sum(known)}"
            problem = RowProblem(element.line, "NtryDtls", f"{message}: it is recorded as one")
            return [self._bank_entry(account, element, booked, None, amount=booked.amount, review=(problem,))]
        detail = details[0] if details else None
        return [self._bank_entry(account, element, booked, detail, amount=booked.amount)]

    def _bank_entry(
        self,
        account: KnownAccount,
        element: Element,
        booked: _Booked,
        detail: Element | None,
        *,
        amount: Decimal,
        number: int = 0,
        review: tuple[RowProblem, ...] = (),
    ) -> BankEntry:
        said = detail if detail is not None else Element("TxDtls", element.line, {})
        party = "Dbtr" if amount > 0 else "Cdtr"
        counterparty = said.value("RltdPties", party, "Nm") or said.value("RltdPties", party, "Pty", "Nm")
        remittance = " ".join(found.text for found in said.all("RmtInf", "Ustrd") if found.text)
        code = element.value("BkTxCd", "Domn", "Fmly", "SubFmlyCd")
        metadata = {
            "description": remittance or said.value("AddtlTxInf") or element.value("AddtlNtryInf"),
            "reference": said.value("RmtInf", "Strd", "CdtrRefInf", "Ref"),
            "end_to_end_id": said.value("Refs", "EndToEndId"),
            "bank_code": "/".join(
                filter(
                    None,
                    (
                        element.value("BkTxCd", "Domn", "Cd"),
                        element.value("BkTxCd", "Domn", "Fmly", "Cd"),
                        code,
                        element.value("BkTxCd", "Prtry", "Cd"),
                    ),
                )
            ),
            "value_date": element.value("ValDt", "Dt"),
            **_exchange(said, booked.currency),
        }
        line = said.line if number else element.line
        return BankEntry(
            line=line,
            account=account.name,
            amount=amount,
            currency=booked.currency,
            occurred_at=booked.at,
            reference=self._reference(account, element, said, booked, amount, number),
            counterparty=counterparty,
            category="reversal" if booked.is_reversal else "",
            returns=booked.is_reversal,
            metadata=metadata,
            review=review,
        )

    def _reference(
        self,
        account: KnownAccount,
        element: Element,
        detail: Element,
        booked: _Booked,
        amount: Decimal,
        number: int,
    ) -> str:
        """The id of the booking. The bank's own is one by the standard; others repeat: over the months, so the day
        is part of them, and on one day, so that the second one counts as none.
        """
        entry = element.value("AcctSvcrRef")
        own = detail.value("Refs", "AcctSvcrRef") if number else ""
        note = element.value("NtryRef")
        end_to_end = detail.value("Refs", "EndToEndId")
        reference = ""
        content: tuple[object, ...] = (amount, booked.at, booked.is_reversal, number)
        if own.upper() not in NO_IDS and own != entry:
            reference = own
        elif entry.upper() not in NO_IDS:
            reference = f"{entry}/{number}" if number else entry
        elif note.upper() not in NO_IDS:
            reference = f"{booked.day}:{note}" + (f"/{number}" if number else "")
            content = (detail.line, element.line)
        elif end_to_end.upper() not in NO_IDS:
            reference = f"{booked.day}:{end_to_end}"
            content = (detail.line, element.line)
        if reference and self._ids.is_reused(account.name, reference, content=content):
            return ""
        return reference


class _Rehearsal(_Reader):
    """All that refuses a file, without what its entries say: that takes as long again, and comes afterwards."""

    def _part(self, statement: _Statement, element: Element) -> Iterator[Found]:
        if element.name == "Ntry" and statement.account is not None:
            yield left_out(line=element.line, field="Ntry", message="was found")
        else:
            yield from super()._part(statement, element)


def _is_container(name: str, depth: int) -> bool:
    return depth < len(CONTAINERS) and name == CONTAINERS[depth]


def _amount(element: Element, field_name: str) -> tuple[Decimal, str]:
    stated = element.first("Amt")
    if stated is None:
        raise _Invalid(f"{field_name}/Amt", "is missing")
    if not _AMOUNT.fullmatch(stated.text):
        raise _Invalid(f"{field_name}/Amt", f"{stated.text[:40]!r} is not an amount such as 12.50")
    try:
        return Decimal(stated.text), stated.attributes.get("Ccy", "").upper()
    except InvalidOperation as error:
        raise _Invalid(f"{field_name}/Amt", f"{stated.text[:40]!r} is not an amount") from error


def _signed(element: Element, amount: Decimal) -> Decimal:
    indicator = element.value("CdtDbtInd")
    if indicator not in {"CRDT", "DBIT"}:
        raise _Invalid("CdtDbtInd", f"is {indicator[:10]!r} where it must be CRDT or DBIT")
    return amount if indicator == "CRDT" else -amount


def _detail_amount(detail: Element, booked: _Booked) -> Decimal | None:
    """The signed amount of one payment in the currency of the entry, None when it is not stated."""
    for path in ((), ("AmtDtls", "TxAmt")):
        holder = detail.first(*path)
        stated = holder.first("Amt") if holder is not None else None
        if stated is None or stated.attributes.get("Ccy", "").upper() != booked.currency:
            continue
        if _AMOUNT.fullmatch(stated.text):
            indicator = detail.value("CdtDbtInd")
            sign = (1 if booked.amount > 0 else -1) if not indicator else (1 if indicator == "CRDT" else -1)
            return Decimal(stated.text) * sign
    return None


def _exchange(detail: Element, currency: str) -> dict[str, str]:
    """What was paid in another currency, and at which rate the bank exchanged it."""
    for part in ("InstdAmt", "TxAmt", "CntrValAmt"):
        stated = detail.first("AmtDtls", part, "Amt")
        rate = detail.value("AmtDtls", part, "CcyXchg", "XchgRate")
        if stated is not None and stated.attributes.get("Ccy", currency) != currency:
            return {
                "original_amount": stated.text,
                "original_currency": stated.attributes["Ccy"],
                "rate": rate or detail.value("AmtDtls", "CntrValAmt", "CcyXchg", "XchgRate"),
            }
    return {}


def _moment(text: str, account: KnownAccount) -> tuple[datetime, date]:
    """Return when something was, and on which day in the time zone of the account. A day alone is its noon."""
    if not text:
        raise _Invalid("Dt", "is empty")
    try:
        if "T" not in text:
            # XML Schema lets a date carry an offset: it is that calendar day all the same.
            day = date.fromisoformat(text[:10])
            return noon(day, account.timezone), day
        # Some banks write nanoseconds; microseconds are what is kept.
        at = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text))
    except ValueError as error:
        raise _Invalid("Dt", f"{text[:40]!r} is not a date: {error}") from error
    try:
        # A statement of a bank without an offset speaks of the bank's own clock.
        at = instant_at(at, zone=account.timezone) if at.tzinfo is None else at.astimezone(UTC)
    except (NoSuchTime, OverflowError) as error:
        raise _Invalid("Dt", f"{text[:40]!r} is not a time: {error}") from error
    return at, at.astimezone(account.timezone).date()


IMPORTER = Importer(
    name=NAME,
    label="CAMT.053 bank statement",
    specificity=40,
    recognises=recognises,
    rows=rows,
    passes=2,
    is_markup=True,
)
