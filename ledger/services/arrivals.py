"""Lines of a bulk request made ready for the journal: in one tight pass where they are plain, strictly where not.

The tight pass writes the very bytes that the strict way would (`parse_json`, `parse_event`, `journal_row`,
`copy_line`), or leaves a line to it. That is held by a property test, and is what lets a line cost 5 us, not 25.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256

from msgspec import UNSET

from ledger.domain.event import (
    DIRECTED_TYPES,
    DIRECTIONS,
    EARLIEST,
    EVENT_TYPES,
    IMPLIED_DIRECTION,
    KNOWN_CURRENCIES,
    MAX_ACCOUNT,
    MAX_SOURCE,
    MAX_TEXT,
    SEPARATORS,
    EventDraft,
    latest_occurrence,
    parse_event,
)
from ledger.domain.fx import SAME_CURRENCY, UnknownRate
from ledger.domain.identity import VERSION, utc_text
from ledger.domain.money import LIMIT, convert
from ledger.domain.month import month_of
from ledger.domain.plain_line import PlainLine, Text, read_plain
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.selectors.books import Books
from ledger.selectors.fx import euro_rates
from ledger.services.journal_rows import Unrecordable, copy_line, journal_row

# JSON writes a number without leading zeros, a text may have them; both end up in one spelling.
_AMOUNT = re.compile(rb'"?([0-9]{1,14})(?:\.([0-9]{1,6}))?"?')
_NOTHING = "0.000000"
_WHOLE_SECOND_UTC = frozenset({"Z", "+00:00"})


@dataclass(slots=True)
class Arrivals:
    """Lines of one transaction.

    Attributes:
        places: index of each line that may be recorded, ascending.
        lines: those lines.
        event_ids: theirs, 64 hexadecimal digits.
        copied: theirs, as COPY reads them.
        rejected: index and problems of the others, ascending.
        months: in which the events lie.
        parseable: how many lines were JSON at all.
    """

    places: list[int] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    rejected: list[tuple[int, tuple[FieldProblem, ...]]] = field(default_factory=list)
    months: set[date] = field(default_factory=set)
    parseable: int = 0


@dataclass(frozen=True, slots=True)
class _Kind:
    """What events of one kind share, so that it is checked and spelled out once.

    Attributes:
        account_id: as text.
        id_before, id_after: what stands before and after the amount in the bytes that are digested.
    """

    direction: str
    account_id: str
    id_before: str
    id_after: str


class LineReader:
    """Reads the lines of one request against a company's books."""

    def __init__(self, *, company_id: int, books: Books, now: datetime) -> None:
        self._company_id = company_id
        self._books = books
        self._now = now
        self._latest = latest_occurrence(now=now)
        self._kinds: dict[tuple[str, str, str, Text, Text], _Kind | None] = {}
        self._rates: dict[tuple[str, date], tuple[Decimal, str] | None] = {}
        self._months: dict[str, date] = {}

    def read(self, lines: Sequence[tuple[int, bytes | None]], *, too_long: str) -> Arrivals:
        """Return what the lines say.

        Args:
            lines: with their index; None stands for a line that was dropped.
            too_long: the problem of those.
        """
        arrivals = Arrivals()
        ids, copied = arrivals.event_ids, arrivals.copied
        for index, line in lines:
            if line is None:
                arrivals.rejected.append((index, (FieldProblem("", too_long),)))
                continue
            ordinal = len(ids)
            plain = read_plain(line)
            row = None if plain is None else self._plain_row(plain, ordinal, arrivals.months)
            if row is None:
                row = self._strict_row(index, line, ordinal, arrivals)
                if row is None:
                    continue
            else:
                arrivals.parseable += 1
            ids.append(row[0])
            copied.append(row[1])
            arrivals.places.append(index)
            arrivals.lines.append(line)
        return arrivals

    def _strict_row(self, index: int, line: bytes, ordinal: int, arrivals: Arrivals) -> tuple[str, str] | None:
        try:
            value = parse_json(line)
        except InvalidJson as error:
            arrivals.rejected.append((index, (FieldProblem("", f"is not JSON: {error}"),)))
            return None
        arrivals.parseable += 1
        try:
            draft = parse_event(value, now=self._now)
            row = journal_row(
                draft, ordinal=ordinal, company_id=self._company_id, books=self._books, now=self._now
            )
        except InvalidEvent as error:
            arrivals.rejected.append((index, error.errors))
            return None
        except Unrecordable as error:
            arrivals.rejected.append((index, error.problems))
            return None
        arrivals.months.add(month_of(row.occurred_at))
        return row.event_id.hex(), copy_line(row)

    def _plain_row(self, event: PlainLine, ordinal: int, months: set[date]) -> tuple[str, str] | None:
        """Return event id and COPY line; None where the strict way must look."""
        stated, currency = event.occurred_at, event.currency
        key = (event.source, event.event_type, currency, event.account, event.direction)
        kind = self._kinds[key] if key in self._kinds else self._kind(key)
        amount = _AMOUNT.fullmatch(event.amount)
        if kind is None or amount is None or type(stated) is not str or not stated.isascii():
            return None

        whole, decimals = amount.groups()
        amount_text = f"{int(whole)}.{decimals.decode():0<6}" if decimals else f"{int(whole)}.000000"
        if amount_text == _NOTHING:
            return None

        try:
            instant = datetime.fromisoformat(stated)
            if stated[10:11] not in SEPARATORS or stated[4:8:3] != "--" or instant.tzinfo is None:
                return None
            if instant.tzinfo is not UTC:
                instant = instant.astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        if not EARLIEST <= instant <= self._latest:
            return None
        occurred_text = _spelled(instant, stated)
        month = self._months.get(occurred_text[:7])
        if month is None:
            month = self._months[occurred_text[:7]] = month_of(instant)

        category = event.category or ""
        counterparty = event.counterparty or ""
        reference = event.external_ref or ""
        if len(category) > MAX_TEXT or len(counterparty) > MAX_TEXT or len(reference) > MAX_TEXT:
            return None

        if currency == self._books.base_currency:
            money = f"{amount_text}\t1\t{SAME_CURRENCY}\t{occurred_text}"
        else:
            rate = self._rate(currency, instant.date())
            if rate is None:
                return None
            base_amount = convert(Decimal(amount_text), rate=rate[0])
            if base_amount >= LIMIT:
                return None
            money = f"{base_amount}\t{rate[1]}"

        reference_bytes = len(reference) if reference.isascii() else len(reference.encode())
        identity = (
            f"{kind.id_before}{len(amount_text)}:{amount_text}{kind.id_after}"
            f"27:{occurred_text}{reference_bytes}:{reference}1:00:"
        )
        event_id = sha256(identity.encode()).hexdigest()
        months.add(month)
        return event_id, (
            f"{ordinal}\t\\\\x{event_id}\t{kind.account_id}\t{event.source}\t{event.event_type}\t{kind.direction}\t"
            f"{amount_text}\t{currency}\t{occurred_text}\t{category}\t{counterparty}\t{reference}\t{{}}\t{money}\t0\tf\n"
        )

    def _kind(self, key: tuple[str, str, str, Text, Text]) -> _Kind | None:
        """Judge and spell out what many events share; None where one of them is for the strict way."""
        if len(self._kinds) >= MAX_KINDS:
            self._kinds.clear()
        kind = self._kinds[key] = self._new_kind(*key)
        return kind

    def _new_kind(
        self, source: str, event_type: str, currency: str, stated_account: Text, stated_direction: Text
    ) -> _Kind | None:
        account = (stated_account or self._books.default_account) or ""
        account_id = self._books.accounts.get(account)
        implied = IMPLIED_DIRECTION.get(event_type)
        direction = stated_direction if event_type in DIRECTED_TYPES else implied
        if (
            account_id is None
            or not 0 < len(source) <= MAX_SOURCE
            or source.isspace()
            or stated_account == ""
            or (
                isinstance(stated_account, str) and (len(stated_account) > MAX_ACCOUNT or stated_account.isspace())
            )
            or event_type not in EVENT_TYPES
            or currency not in KNOWN_CURRENCIES
            or direction not in DIRECTIONS
            or stated_direction not in {None, UNSET, direction}
        ):
            return None
        texts = (str(self._company_id), source, event_type, direction, str(account_id))
        return _Kind(
            direction,
            str(account_id),
            VERSION.decode() + "".join(f"{len(text.encode())}:{text}" for text in texts),
            f"{len(currency)}:{currency}",
        )

    def _rate(self, currency: str, on: date) -> tuple[Decimal, str] | None:
        """Return the rate and, spelled for COPY, rate, source and time."""
        key = (currency, on)
        if key not in self._rates:
            try:
                fx = euro_rates().quote(currency=currency, base=self._books.base_currency, on=on)
            except UnknownRate:
                self._rates[key] = None
            else:
                self._rates[key] = (fx.rate, f"{fx.rate}\t{fx.source}\t{utc_text(fx.at)}")
        return self._rates[key]


def _spelled(instant: datetime, stated: str) -> str:
    """Return `utc_text` of an instant in UTC; where it was stated so already, in a fifth of the time."""
    if stated[19:] in _WHOLE_SECOND_UTC and stated[13] == stated[16] == ":" and stated[11:13] != "24":
        return f"{stated[:10]}T{stated[11:19]}.000000Z"
    return instant.isoformat(timespec="microseconds")[:26] + "Z"


# Sources are free text: a stream that names a new one on each line must not fill the memory.
MAX_KINDS = 4096


def strict_drafts(lines: Sequence[bytes], *, now: datetime) -> list[EventDraft]:
    """Return the drafts of lines that were read before and found good."""
    return [parse_event(parse_json(line), now=now) for line in lines]
