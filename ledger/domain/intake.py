"""What a delivery or a file says, once it has been taken apart: events, and statements about what we have.

A parser (a provider's or an importer's) is a pure function from bytes to an `Intake`. Nothing in it is validated
yet but its shape: `ledger.domain.event.parse_event` does that, and the recorder decides what is new.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from ledger.domain.fx import SettlementRate


@dataclass(frozen=True, slots=True)
class StatedBalance:
    """A balance that somebody outside states: an assertion that the journal is held to.

    Attributes:
        account: name of the account.
        day: in the account's time zone.
        amount: signed, in `currency`.
        as_of: the instant of the day that it was asked at (aware); None: it is the balance of the day's end.
    """

    account: str
    currency: str
    amount: Decimal
    day: date
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServicePeriod:
    """Over which days income received at once is earned.

    Attributes:
        source, external_ref: of the income event, which may be recorded before or after this is stated.
        line: tells several periods of one payment apart, such as the lines of an invoice.
        document: such as the invoice, by which credit notes on it find the period.
        amount: the part of the event that this period earns, positive, in `currency`.
        start, end: half-open, `[start, end)`.
    """

    source: str
    external_ref: str
    line: str
    amount: Decimal
    currency: str
    start: date
    end: date
    document: str = ""


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """Attributes:
    line: of the service period that it lowers; empty: all periods of the document, in proportion.
    amount: positive, before tax and after discounts.
    """

    line: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CreditedRefund:
    """Attributes:
    external_ref: of a refund that carries out a credit note; as far as it does, it is not counted a second time.
    amount: positive.
    """

    external_ref: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CreditNote:
    """What is credited on an invoice after it was paid: its periods earn so much less from a day on.

    It moves no money itself: its refunds are events, a credit to the customer's balance lowers a later invoice,
    and what is paid back out of band shows where it was paid.

    Attributes:
        source, external_ref: of the note.
        document: the invoice, by which service periods are found.
        day: from which it counts.
        issued_on: the day on which a customer's balance got its part; None: the same day.
        lines: none takes back what the note said before.
        to_balance, out_of_band: not negative.
    """

    source: str
    external_ref: str
    document: str
    currency: str
    day: date
    lines: tuple[CreditedLine, ...] = ()
    refunds: tuple[CreditedRefund, ...] = ()
    to_balance: Decimal = Decimal(0)
    out_of_band: Decimal = Decimal(0)
    issued_on: date | None = None


@dataclass(frozen=True, slots=True)
class UsedLine:
    """Attributes:
    line: of the invoice, as in `ServicePeriod`.
    amount: of what an invoice used of the customer's balance, positive.
    start, end: over which it is earned, `[start, end)`.
    """

    line: str
    amount: Decimal
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class SettledInvoice:
    """By what an invoice is settled: a payment, and what the customer had paid beforehand.

    It moves no money. What the customer has in credit came in with payments: beyond what their invoices asked
    for, or credited on them later.

    Attributes:
        document: the invoice.
        customer: whose balance is used or added to.
        at: when the invoice was finalised (aware), which is when it uses the balance.
        payment: external reference of the income that paid it; empty when none did or it is not named.
        paid: what of that income is for this invoice, not negative.
        overpaid_by: external reference of the income that brought more than was asked for.
        overpaid: what of that went to the customer's balance.
        before: what the customer had in credit, as the provider counts it.
        used: what of it settles the invoice; at most `before`.
        lines: over which days what was used is earned; together at most `used`, and the rest is earned at once.
    """

    source: str
    document: str
    customer: str
    currency: str
    at: datetime
    payment: str = ""
    paid: Decimal = Decimal(0)
    overpaid_by: str = ""
    overpaid: Decimal = Decimal(0)
    before: Decimal = Decimal(0)
    used: Decimal = Decimal(0)
    lines: tuple[UsedLine, ...] = ()


@dataclass(frozen=True, slots=True)
class LoweredBalance:
    """A customer's balance became less, as its provider counts it; by whose doing it does not say.

    Attributes:
        at: when (aware).
        before, after: what the customer had in credit, not negative; less after than before.
    """

    source: str
    customer: str
    currency: str
    at: datetime
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """A provider's object, as far as its events share a name."""

    source: str
    external_ref: str


class FeedState(StrEnum):
    """What a provider says about a feed that is read by asking."""

    NEWS = "news"
    COMPLETE = "complete"
    WARNING = "warning"
    SILENT = "silent"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class FeedNotice:
    """News about a feed, such as a bank read through Plaid: there is something to read, or it has fallen silent.

    Attributes:
        feed: the provider's name of it, such as Plaid's item_id.
        reason: for a person, when the owner must do something.
    """

    feed: str
    state: FeedState
    reason: str = ""


class Fate(StrEnum):
    """What became of one thing that was said; `ledger.models.item_counts` says what each means."""

    RECORDED = "recorded"
    CORRECTED = "corrected"
    DUPLICATE = "duplicate"
    TAKEN_BACK = "taken_back"
    STATED = "stated"
    IGNORED = "ignored"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Intake:
    """Everything one delivery says.

    Attributes:
        events: fields of capital events by name, as `parse_event` takes them.
        removed: objects that the provider takes back: their events are reversed.
        ignored: why nothing of it is recorded, deliberately; empty when something is.
        said_at: when the provider said so (aware), where deliveries may overtake each other: about one object,
            what was said earlier never undoes what was said later. None where they come in order.
        notices: about feeds, acted on when the intake is recorded.
        credit_notes: on invoices that were paid.
        settled: by what invoices are settled.
        lowered: balances of customers that became less.
        voided: documents whose service periods count no more, and that settle nothing.
        signing_secret: with which the provider signs from now on; given only once the provider confirmed it.
        settlements: at which rate the money of an event was changed, by the event's place in `events`.
    """

    events: tuple[Mapping[str, object], ...] = ()
    removed: tuple[ObjectKey, ...] = ()
    balances: tuple[StatedBalance, ...] = ()
    service_periods: tuple[ServicePeriod, ...] = ()
    ignored: str = ""
    said_at: datetime | None = None
    settlements: Mapping[int, SettlementRate] = field(default_factory=dict)
    notices: tuple[FeedNotice, ...] = ()
    credit_notes: tuple[CreditNote, ...] = ()
    settled: tuple[SettledInvoice, ...] = ()
    voided: tuple[ObjectKey, ...] = ()
    lowered: tuple[LoweredBalance, ...] = ()
    signing_secret: str = field(default="", repr=False)
