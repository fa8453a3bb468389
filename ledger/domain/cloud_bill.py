"""Bills of cloud providers: their lines at full precision, and the few events that the journal gets of them.

A bill is what one provider charges one billing account for one period. Its lines keep every digit. The journal
gets one event per day, service and charge type, rounded once to the six decimals of the journal. All of them are
on an account of kind cloud, where nothing moves cash: cash moves when the invoice is paid from a bank account.

Credits are one event per service on the day after the period ends, when the bill closes and the credit pays its
part; so a bill's credit and the payment of its rest fall into the same month. On which days the credits were used
up stands in the lines.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256

from ledger.domain.identity import utc_text
from ledger.domain.money import LIMIT, MICRO, MONEY

CREDIT = "credit"
CHARGE_TYPES = frozenset({"usage", "purchase", "tax", CREDIT, "refund", "discount", "adjustment"})
# The journal's reference has room for 255 characters, and the service is only one part of it.
_LONGEST_SERVICE = 120
# Sources of bills in the journal begin with it.
SOURCE_PREFIX = "bill-"


class BillRefused(ValueError):
    """A bill that cannot be imported as a whole, and so not at all; the message is one line that says why."""


def account_of_provider(provider: str) -> str:
    """Return the name of the account for a provider's bills, such as `cloud-aws`."""
    return f"cloud-{_slug(provider)}"


def source_of_provider(provider: str) -> str:
    """Return the source of a provider's bills in the journal, whatever format they come in."""
    return f"{SOURCE_PREFIX}{_slug(provider)}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "provider"


@dataclass(frozen=True, slots=True)
class BillKey:
    """Which bill: a later delivery with the same key takes the place of an earlier one.

    Attributes:
        period_start: first day of the billing period.
    """

    provider: str
    billing_account: str
    period_start: date

    @property
    def reference(self) -> str:
        """16 hexadecimal digits by which the journal names the bill."""
        parts = (self.provider.lower(), self.billing_account, self.period_start.isoformat())
        return sha256(_encoded(parts)).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.provider} {self.billing_account} {self.period_start:%Y-%m}"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a bill, as precise as the file states it.

    Attributes:
        line: number of the physical line in the file, from 1; no part of what the line says.
        period_end: the day after the billing period.
        occurred_at: when the charge began, UTC; its UTC day is the day of the charge.
        until: the day after the last UTC day of a charge for several days; None where it lies within one, or the
            file does not say.
        billed: what the invoice will ask for; cash follows it. Negative for what the provider gives.
        effective: billed with what was paid ahead spread over its use; None when the file does not say.
        listed: at list prices; None when the file does not say.
    """

    line: int
    key: BillKey
    period_end: date
    occurred_at: datetime
    until: date | None
    sub_account: str
    service: str
    region: str
    resource: str
    charge_type: str
    usage_type: str
    quantity: Decimal | None
    unit: str
    billed: Decimal
    effective: Decimal | None
    listed: Decimal | None
    currency: str

    @property
    def digest(self) -> bytes:
        """32 bytes over everything that the line says."""
        return sha256(
            _encoded(
                (
                    self.key.reference,
                    self.period_end.isoformat(),
                    utc_text(self.occurred_at),
                    self.sub_account,
                    self.service,
                    self.region,
                    self.resource,
                    self.charge_type,
                    self.usage_type,
                    _number(self.quantity),
                    self.unit,
                    _number(self.billed),
                    _number(self.effective),
                    _number(self.listed),
                    self.currency,
                    # Lines of a single day keep the digest that they had before files were asked when charges end.
                    *([self.until.isoformat()] if self.until else []),
                )
            )
        ).digest()


def end_of_charge(began: datetime, ended: datetime | None) -> date | None:
    """The day after the last UTC day of a charge for several days; None for one that lies within a day.

    Args:
        ended: half-open, or the last second of a period; None where the file does not say. One that ends before it
            began says nothing.
    """
    if ended is None or ended <= began:
        return None
    until = (ended - timedelta(microseconds=1)).date() + timedelta(days=1)
    return until if until > began.date() + timedelta(days=1) else None


class BillDigest:
    """A digest of lines in any order: the sum of their digests. It takes no memory per line."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, digest: bytes) -> None:
        self._sum = (self._sum + int.from_bytes(digest)) % (1 << 256)

    def digest(self) -> bytes:
        return self._sum.to_bytes(32)


def _encoded(parts: tuple[str, ...]) -> bytes:
    encoded = [part.encode("utf-8") for part in parts]
    return b"".join(b"%d:%b" % (len(part), part) for part in encoded)


def _number(value: Decimal | None) -> str:
    """One spelling per value: 1.0, 1 and 1E+0 are one quantity."""
    return "" if value is None else f"{value.normalize(MONEY):f}"


@dataclass(frozen=True, slots=True)
class ChargeSum:
    """What a bill charges for one day, service and charge type, unrounded."""

    day: date
    service: str
    charge_type: str
    billed: Decimal
    lines: int


@dataclass(frozen=True, slots=True)
class BillEvent:
    """An event that the journal has, or should have, of a bill.

    Attributes:
        name: what the event is of within the bill; two events of one bill never share it.
        event_type, direction: expense out, credit in; adjustment in either for what runs against its type.
        amount: positive, at most six decimals.
    """

    name: str
    day: date
    service: str
    charge_type: str
    event_type: str
    direction: str
    amount: Decimal
    billed: Decimal
    lines: int

    @property
    def signed(self) -> Decimal:
        """The amount as the bill has it: what it asks for is positive."""
        return self.amount if self.direction == "out" else -self.amount


def bill_events(sums: Iterable[ChargeSum], *, period_end: date) -> tuple[BillEvent, ...]:
    """Return the events of a bill, by day; a sum that rounds to nothing has none.

    Each sum is rounded once, half to even, to six decimals. So the events of a bill with n sums differ from its
    total by at most n half millionths, on the invoice less than a cent below 20,000 sums.

    Args:
        period_end: the day after the period, on which credits pay their part.

    Raises:
        OverflowError: a sum has more digits than the journal has.
    """
    gathered: dict[tuple[date, str, str], tuple[Decimal, int]] = {}
    for part in sums:
        day = period_end if part.charge_type == CREDIT else part.day
        billed, lines = gathered.get((day, part.charge_type, part.service), (Decimal(0), 0))
        gathered[day, part.charge_type, part.service] = (MONEY.add(billed, part.billed), lines + part.lines)
    events = []
    for (day, charge_type, service), (billed, lines) in sorted(gathered.items()):
        rounded = billed.quantize(MICRO, rounding=ROUND_HALF_EVEN, context=MONEY)
        if not rounded:
            continue
        if abs(rounded) >= LIMIT:
            raise OverflowError(f"{service} on {day} costs {billed:f}, which is too large for the journal")
        event_type, direction = _kind(charge_type, owed=rounded > 0)
        events.append(
            BillEvent(
                name=f"{day}:{charge_type}:{_short(service)}",
                day=day,
                service=service,
                charge_type=charge_type,
                event_type=event_type,
                direction=direction,
                amount=abs(rounded),
                billed=billed,
                lines=lines,
            )
        )
    return tuple(events)


def _kind(charge_type: str, *, owed: bool) -> tuple[str, str]:
    if charge_type == CREDIT:
        # A credit that the provider takes back makes the bill larger, and is no new credit.
        return ("adjustment", "out") if owed else ("credit", "in")
    return ("expense", "out") if owed else ("adjustment", "in")


def _short(service: str) -> str:
    if len(service) <= _LONGEST_SERVICE:
        return service
    return f"{service[: _LONGEST_SERVICE - 17]}#{sha256(service.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class StandingEvent:
    """An event of a bill that the journal has and that is not taken back.

    Attributes:
        reference: its external reference; the bill's reference, the event's name and perhaps `~v` and a version.
    """

    event_id: str
    occurred_at: datetime
    reference: str
    event_type: str
    direction: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class BillChange:
    """What has to happen in the journal for a bill to stand in it.

    Attributes:
        take_back: events to reverse, first.
        record: {external reference: event} to record then.
        unchanged: how many stand as they should.
    """

    take_back: tuple[StandingEvent, ...]
    record: Mapping[str, BillEvent]
    unchanged: int


def bill_change(
    *, key: BillKey, version: int, currency: str, wanted: Iterable[BillEvent], standing: Iterable[StandingEvent]
) -> BillChange:
    """Compare a bill as it came with what the journal has of it.

    An event that differs is reversed and recorded anew under its reference, so that it becomes the next revision.
    One that comes back after it was gone gets the version of the bill behind its reference: the object's last
    content may be the same as now, and then the recorder would call it a duplicate of what was taken back.
    """
    have = {event_name(event.reference): event for event in standing}
    take_back: list[StandingEvent] = []
    record: dict[str, BillEvent] = {}
    unchanged = 0
    for event in wanted:
        old = have.pop(event.name, None)
        if old is None:
            record[_reference(key, event, version)] = event
        elif (old.event_type, old.direction, old.amount, old.currency) == (
            event.event_type,
            event.direction,
            event.amount,
            currency,
        ):
            unchanged += 1
        else:
            take_back.append(old)
            same_object = (old.event_type, old.direction) == (event.event_type, event.direction)
            record[old.reference if same_object else _reference(key, event, version)] = event
    return BillChange((*take_back, *have.values()), record, unchanged)


def _reference(key: BillKey, event: BillEvent, version: int) -> str:
    return f"{key.reference}:{event.name}" + (f"~v{version}" if version > 1 else "")


def event_name(reference: str) -> str:
    """Return the name of a bill's event from its external reference."""
    name = reference.partition(":")[2]
    stem, mark, version = name.rpartition("~v")
    return stem if mark and version.isdigit() else name
