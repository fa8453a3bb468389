"""Importing bills of cloud providers: lines as they are into their table, few events into the journal."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection, transaction
from django.db.models import Max

from ledger.domain.account import kind_of_account
from ledger.domain.cloud_bill import (
    CREDIT,
    BillChange,
    BillDigest,
    BillEvent,
    BillKey,
    BillLine,
    ChargeSum,
    StandingEvent,
    account_of_provider,
    bill_change,
    bill_events,
    source_of_provider,
)
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.month import month_of
from ledger.domain.outcome import RECORDED, Outcome
from ledger.domain.problems import InvalidEvent
from ledger.models.account import Account, AccountKind
from ledger.models.cloud_bill import BillState, CloudBill
from ledger.selectors.books import read_books
from ledger.services.partitions import make_missing_months
from ledger.services.provenance import CameBy, keep_provenance
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.transient import try_again

logger = logging.getLogger(__name__)

# An import that broke off leaves a staged bill; the next import of a bill clears it away after this long.
BROKEN_OFF = timedelta(days=1)
# A delivery with fewer lines than this share of the one before is perhaps one file of several.
SUSPICIOUS_SHARE = Decimal("0.5")
MAX_BILLS_PER_FILE = 1_000

_COPY = """
    COPY ledger_cloudbillline (
        company_id, bill_id, ordinal, day, occurred_at, sub_account, service, region, resource, charge_type,
        usage_type, quantity, unit, billed, effective, listed, currency, digest
    ) FROM STDIN
"""
_SUMS = """
    SELECT day, service, charge_type, sum(billed), count(*) FROM ledger_cloudbillline
    WHERE company_id = %s AND bill_id = %s GROUP BY day, service, charge_type
"""
_TOTALS = """
    SELECT count(*), sum(billed), sum(effective), sum(listed) FROM ledger_cloudbillline
    WHERE company_id = %s AND bill_id = %s
"""
# Lines that the delivery before had too, equal ones counted. Without a join: on a table that was just filled, the
# planner took one of 100,000 by 100,000 lines for a small one and looped for minutes.
_KNOWN_LINES = """
    SELECT coalesce(sum(least(before, now)), 0)::bigint FROM (
        SELECT count(*) FILTER (WHERE bill_id = %(before)s) AS before,
               count(*) FILTER (WHERE bill_id = %(now)s) AS now
        FROM ledger_cloudbillline
        WHERE company_id = %(company)s AND bill_id IN (%(before)s, %(now)s) GROUP BY digest
    ) counted
"""
# The events of a bill that stand in the journal: the object's key begins with what is given here.
_STANDING = """
    SELECT encode(event_id, 'hex'), external_ref, event_type, direction, amount, currency
    FROM ledger_externalobject
    WHERE company_id = %s AND account_id = ANY (%s) AND source = %s AND external_ref LIKE %s AND NOT reversed
    ORDER BY external_ref
"""
_DROP_LINES = "DELETE FROM ledger_cloudbillline WHERE company_id = %s AND bill_id = ANY (%s)"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))"


class BillRefused(ValueError):
    """A bill that cannot be imported as a whole, and so not at all; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class ImportedBill:
    """What became of one bill of a file.

    Attributes:
        lines: of this delivery; `known_lines` of them stood in the delivery before, too.
        version: of the delivery in force now; None in a dry run that would make a new one.
        recorded, reversed, unchanged: events of the journal.
        billed, journalled: sum of the lines, unrounded, and sum of the events.
        shrunk_from: lines of the delivery before, when this one has suspiciously fewer; else None.
        first_line: number of its first line in the file.
    """

    key: BillKey
    lines: int
    known_lines: int
    version: int | None
    recorded: int
    reversed: int
    unchanged: int
    billed: Decimal
    journalled: Decimal
    shrunk_from: int | None
    first_line: int

    @property
    def rounding_difference(self) -> Decimal:
        """What the journal says more than the bill: each of its events was rounded once."""
        return self.journalled - self.billed


@dataclass(slots=True)
class _Staged:
    """A bill as its lines arrive."""

    bill_id: int
    period_end: date
    currency: str
    first_line: int
    lines: int = 0
    digest: BillDigest = field(default_factory=BillDigest)


@dataclass(slots=True)
class BillIntake:
    """Lines of cloud bills on their way in: `take` them in batches, then `finish` once.

    Nothing of a bill counts before `finish`, which settles each in one transaction: its events, and the delivery
    that is in force. The lines of one bill may be spread over a file, and a file may hold many bills.
    """

    company_id: int
    format_name: str
    account: str | None
    actor: str
    now: datetime
    came_by: CameBy | None = None
    _staged: dict[BillKey, _Staged] = field(default_factory=dict)

    def take(self, lines: Sequence[BillLine]) -> None:
        """Keep lines for `finish`.

        Raises:
            BillRefused: two lines of one bill contradict each other, or there are too many bills.
        """
        values = [self._row(line) for line in lines]
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for row in values:
                copy.write_row(row)

    def finish(self, *, dry_run: bool) -> tuple[ImportedBill, ...]:
        """Put every bill into force and its events into the journal; return what became of each.

        Args:
            dry_run: say what would become of them, and leave nothing.

        Raises:
            BillRefused: the journal does not take an event of a bill. Bills before it in the file stay imported.
        """
        bills = []
        for key, staged in self._staged.items():
            settling = _Settling(
                company_id=self.company_id,
                account=self.account,
                actor=self.actor,
                now=self.now,
                key=key,
                came_by=self.came_by,
            )
            bills.append(settling.settle(staged, dry_run=dry_run))
        self._clear_broken_off()
        return tuple(bills)

    def abandon(self) -> None:
        """Clear away what was kept and not finished; after a failure, so a second one is only logged."""
        try:
            _clear(self.company_id, [staged.bill_id for staged in self._staged.values()])
        except DatabaseError:
            logger.warning("lines of a bill are left until the next import", exc_info=True)

    def _clear_broken_off(self) -> None:
        broken_off = CloudBill.objects.filter(
            company_id=self.company_id, state=BillState.STAGED, imported_at__lt=self.now - BROKEN_OFF
        )
        _clear(self.company_id, broken_off.values_list("pk", flat=True))

    def _row(self, line: BillLine) -> tuple[Any, ...]:
        staged = self._staged.get(line.key)
        if staged is None:
            staged = self._staged[line.key] = self._stage(line)
        if line.currency != staged.currency:
            raise BillRefused(
                f"line {line.line}: the bill {line.key} is in {staged.currency} and in {line.currency}: "
                "a bill has one currency"
            )
        if line.period_end != staged.period_end:
            raise BillRefused(
                f"line {line.line}: the period of the bill {line.key} ends on {line.period_end} here "
                f"and on {staged.period_end} in line {staged.first_line}"
            )
        digest = line.digest
        staged.lines += 1
        staged.digest.add(digest)
        return (
            self.company_id,
            staged.bill_id,
            staged.lines,
            line.occurred_at.date(),
            line.occurred_at,
            line.sub_account,
            line.service,
            line.region,
            line.resource,
            line.charge_type,
            line.usage_type,
            line.quantity,
            line.unit,
            line.billed,
            line.effective,
            line.listed,
            line.currency,
            digest,
        )

    def _stage(self, line: BillLine) -> _Staged:
        if len(self._staged) == MAX_BILLS_PER_FILE:
            raise BillRefused(f"line {line.line}: more than {MAX_BILLS_PER_FILE} bills in one file")
        if line.period_end <= line.key.period_start:
            raise BillRefused(f"line {line.line}: the billing period ends before it begins")
        self._check_account(line)
        bill = CloudBill.objects.create(
            company_id=self.company_id,
            provider=line.key.provider,
            billing_account=line.key.billing_account,
            period_start=line.key.period_start,
            period_end=line.period_end,
            format=self.format_name,
            currency=line.currency,
            imported_at=self.now,
            actor=self.actor,
        )
        return _Staged(bill.pk, line.period_end, line.currency, line.line)

    def _check_account(self, line: BillLine) -> None:
        """On a cash account every line would move cash that the payment of the invoice moves again."""
        name = self.account or account_of_provider(line.key.provider)
        kinds = Account.objects.filter(company_id=self.company_id, name=name).values_list("kind", flat=True)
        kind = kinds.first() or kind_of_account(name)
        if kind != AccountKind.CLOUD:
            raise BillRefused(
                f"{name} is no account of kind cloud: a bill moves no cash, its payment from the bank does"
            )


@dataclass(frozen=True, slots=True)
class _Settling:
    """Attributes:
    account: name of the account for the bill's events; None for the provider's own.
    """

    company_id: int
    account: str | None
    actor: str
    now: datetime
    key: BillKey
    came_by: CameBy | None = None

    def settle(self, staged: _Staged, *, dry_run: bool) -> ImportedBill:
        wanted = self._wanted(staged)
        if not dry_run:
            zone = self._zone()
            make_missing_months({month_of(_noon(event.day, zone)) for event in wanted})

        def write() -> ImportedBill:
            with transaction.atomic():
                return self._put_into_force(staged, wanted, dry_run=dry_run)

        bill = try_again(write)
        # Of a bill that was there already, or that is not meant to stay, nothing is kept.
        _clear(self.company_id, [staged.bill_id])
        return bill

    def _wanted(self, staged: _Staged) -> tuple[BillEvent, ...]:
        with connection.cursor() as cursor:
            cursor.execute(_SUMS, [self.company_id, staged.bill_id])
            sums = [ChargeSum(*row) for row in cursor.fetchall()]
        try:
            return bill_events(sums, period_end=staged.period_end)
        except OverflowError as error:
            raise BillRefused(str(error)) from None

    def _put_into_force(self, staged: _Staged, wanted: tuple[BillEvent, ...], *, dry_run: bool) -> ImportedBill:
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [self.key.reference, self.company_id])
        same = CloudBill.objects.filter(
            company_id=self.company_id,
            provider=self.key.provider,
            billing_account=self.key.billing_account,
            period_start=self.key.period_start,
        )
        before = same.filter(state=BillState.CURRENT).first()
        last_version = same.aggregate(last=Max("version"))["last"] or 0
        lines, billed, effective, listed = self._totals(staged.bill_id)
        journalled = sum((event.signed for event in wanted), Decimal(0))
        digest = staged.digest.digest()
        if before is not None and bytes(before.digest or b"") == digest:
            return ImportedBill(
                key=self.key,
                lines=lines,
                known_lines=lines,
                version=before.version,
                recorded=0,
                reversed=0,
                unchanged=len(wanted),
                billed=billed,
                journalled=journalled,
                shrunk_from=None,
                first_line=staged.first_line,
            )
        known_lines = 0 if before is None else self._known_lines(before.pk, staged.bill_id)
        version = last_version + 1
        change = bill_change(
            key=self.key,
            version=version,
            currency=staged.currency,
            wanted=wanted,
            standing=self._standing(),
        )
        if not dry_run:
            self._write(change, staged)
            if before is not None:
                same.filter(pk=before.pk).update(state=BillState.SUPERSEDED)
                _drop_lines(self.company_id, [before.pk])
            CloudBill.objects.filter(pk=staged.bill_id).update(
                version=version,
                state=BillState.CURRENT,
                lines=lines,
                digest=digest,
                billed=billed,
                effective=effective,
                listed=listed,
                journalled=journalled,
            )
        shrunk = before is not None and lines < before.lines * SUSPICIOUS_SHARE
        return ImportedBill(
            key=self.key,
            lines=lines,
            known_lines=known_lines,
            version=None if dry_run else version,
            recorded=len(change.record),
            reversed=len(change.take_back),
            unchanged=change.unchanged,
            billed=billed,
            journalled=journalled,
            shrunk_from=before.lines if before is not None and shrunk else None,
            first_line=staged.first_line,
        )

    def _totals(self, bill_id: int) -> tuple[int, Decimal, Decimal | None, Decimal | None]:
        with connection.cursor() as cursor:
            cursor.execute(_TOTALS, [self.company_id, bill_id])
            lines, billed, effective, listed = cursor.fetchone()
        return lines, billed or Decimal(0), effective, listed

    def _known_lines(self, before: int, now: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(_KNOWN_LINES, {"company": self.company_id, "before": before, "now": now})
            (known,) = cursor.fetchone()
        return int(known)

    def _account_name(self) -> str:
        return self.account or account_of_provider(self.key.provider)

    def _standing(self) -> list[StandingEvent]:
        # A bill may have been imported into another account before: all of them are looked at.
        accounts = Account.objects.filter(company_id=self.company_id, kind=AccountKind.CLOUD)
        values: list[Any] = [
            self.company_id,
            list(accounts.values_list("id", flat=True)),
            source_of_provider(self.key.provider),
            f"{self.key.reference}:%",
        ]
        with connection.cursor() as cursor:
            cursor.execute(_STANDING, values)
            return [StandingEvent(*row) for row in cursor.fetchall()]

    def _write(self, change: BillChange, staged: _Staged) -> None:
        """Bring the journal to what the bill says."""
        reason = f"the bill {self.key} was issued again"[:255]
        written = []
        for event in change.take_back:
            outcome = reverse(
                company_id=self.company_id,
                event_id=event.event_id,
                reason=reason,
                actor=self.actor,
                now=self.now,
            )
            _insist(outcome, event.reference)
            written.append(outcome)
        zone = self._zone()
        drafts = [self._draft(reference, event, staged, zone) for reference, event in change.record.items()]
        outcomes = record(
            company_id=self.company_id, drafts=drafts, actor=self.actor, now=self.now, create_accounts=True
        )
        for draft, outcome in zip(drafts, outcomes, strict=True):
            _insist(outcome, draft.external_ref)
        if self.came_by is not None:
            positions = [outcome.position for outcome in (*written, *outcomes) if outcome.position is not None]
            keep_provenance(company_id=self.company_id, positions=positions, came_by=self.came_by)

    def _draft(self, reference: str, event: BillEvent, staged: _Staged, zone: ZoneInfo) -> EventDraft:
        raw: dict[str, Any] = {
            "source": source_of_provider(self.key.provider),
            "event_type": event.event_type,
            "amount": f"{event.amount:f}",
            "currency": staged.currency,
            "occurred_at": _noon(event.day, zone).isoformat(),
            "account": self._account_name(),
            "category": "cloud_credit" if event.charge_type == CREDIT else "cloud",
            "counterparty": self.key.provider,
            "external_ref": reference,
            "metadata": {
                "bill": str(self.key),
                "service": event.service,
                "charge_type": event.charge_type,
                "billed": f"{event.billed:f}",
                "lines": event.lines,
                "non_cash": True,
            },
        }
        if event.event_type == "adjustment":
            raw["direction"] = event.direction
        try:
            return parse_event(raw, now=self.now)
        except InvalidEvent as error:
            raise BillRefused(f"the bill {self.key}, {event.service} on {event.day}: {error}") from None

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(read_books(company_id=self.company_id).timezone)


def _noon(day: date, zone: ZoneInfo) -> datetime:
    """A date without a time is noon where the company is, so its calendar says the same day as the bill."""
    return datetime.combine(day, time(12), zone)


def _insist(outcome: Outcome, reference: str) -> None:
    if outcome.status != RECORDED:
        said = "; ".join(f"{problem.field} {problem.message}" for problem in outcome.problems)
        raise BillRefused(f"the journal does not take {reference} of the bill: {said or outcome.status}")


def _drop_lines(company_id: int, bill_ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_DROP_LINES, [company_id, bill_ids])


def _clear(company_id: int, bill_ids: Iterable[int]) -> None:
    """Delete those of these bills that are staged still."""
    staged = CloudBill.objects.filter(company_id=company_id, pk__in=list(bill_ids), state=BillState.STAGED)
    with transaction.atomic():
        # Locked, so that nobody puts one into force while its lines go.
        ids = list(staged.select_for_update().values_list("pk", flat=True))
        if ids:
            _drop_lines(company_id, ids)
            staged.filter(pk__in=ids).delete()
