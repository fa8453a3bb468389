"""Importing bills of cloud providers: lines as they are into their table, few events into the journal."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import DatabaseError, connection, transaction
from django.db.models import Max

from ledger.domain.account import kind_of_account
from ledger.domain.cloud_bill import (
    BillDigest,
    BillEvent,
    BillKey,
    BillLine,
    BillRefused,
    account_of_provider,
    bill_events,
)
from ledger.models.account import Account, AccountKind
from ledger.models.cloud_bill import BillState, CloudBill
from ledger.services.bill_journal import BillJournal
from ledger.services.bill_lines import (
    LineRow,
    bill_totals,
    charge_sums,
    clear_staged,
    drop_lines,
    keep_lines,
    known_lines,
    line_row,
)
from ledger.services.provenance import CameBy
from ledger.services.transient import try_again

logger = logging.getLogger(__name__)

# An import that broke off leaves a staged bill; the next import of a bill clears it away after this long.
BROKEN_OFF = timedelta(days=1)
# A delivery with fewer lines than this share of the one before is perhaps one file of several.
SUSPICIOUS_SHARE = Decimal("0.5")
MAX_BILLS_PER_FILE = 1_000
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))"


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
        changes: whether this delivery says anything that the one before did not.
    """

    key: BillKey
    currency: str
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
    changes: bool

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
        keep_lines([self._row(line) for line in lines])

    def finish(self, *, dry_run: bool, before_each: Callable[[], None]) -> tuple[ImportedBill, ...]:
        """Put every bill into force and its events into the journal; return what became of each.

        Args:
            dry_run: say what would become of them, and leave nothing.
            before_each: called before every bill; what it raises ends the work, and bills before it stay imported.

        Raises:
            BillRefused: the journal does not take an event of a bill. Bills before it in the file stay imported.
        """
        bills = []
        for key, staged in self._staged.items():
            before_each()
            journal = BillJournal(
                company_id=self.company_id,
                account=self.account,
                actor=self.actor,
                now=self.now,
                key=key,
                currency=staged.currency,
                came_by=self.came_by,
            )
            bills.append(_settle(staged, journal, dry_run=dry_run))
        self._clear_broken_off()
        return tuple(bills)

    def abandon(self) -> None:
        """Clear away what was kept and not finished; after a failure, so a second one is only logged."""
        try:
            clear_staged(company_id=self.company_id, bill_ids=[staged.bill_id for staged in self._staged.values()])
        except DatabaseError:
            logger.warning("lines of a bill are left until the next import", exc_info=True)

    def _clear_broken_off(self) -> None:
        broken_off = CloudBill.objects.filter(
            company_id=self.company_id, state=BillState.STAGED, imported_at__lt=self.now - BROKEN_OFF
        )
        clear_staged(company_id=self.company_id, bill_ids=broken_off.values_list("pk", flat=True))

    def _row(self, line: BillLine) -> LineRow:
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
        return line_row(
            line,
            company_id=self.company_id,
            bill_id=staged.bill_id,
            ordinal=staged.lines,
            digest=digest,
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


def _settle(staged: _Staged, journal: BillJournal, *, dry_run: bool) -> ImportedBill:
    wanted = _wanted(staged, journal.company_id)
    if not dry_run:
        journal.make_months(wanted)

    def write() -> ImportedBill:
        with transaction.atomic():
            return _put_into_force(staged, journal, wanted, dry_run=dry_run)

    bill = try_again(write)
    # Of a bill that was there already, or that is not meant to stay, nothing is kept.
    clear_staged(company_id=journal.company_id, bill_ids=[staged.bill_id])
    return bill


def _wanted(staged: _Staged, company_id: int) -> tuple[BillEvent, ...]:
    try:
        sums = charge_sums(company_id=company_id, bill_id=staged.bill_id)
        return bill_events(sums, period_end=staged.period_end)
    except OverflowError as error:
        raise BillRefused(str(error)) from None


def _put_into_force(
    staged: _Staged, journal: BillJournal, wanted: tuple[BillEvent, ...], *, dry_run: bool
) -> ImportedBill:
    company_id, key = journal.company_id, journal.key
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [key.reference, company_id])
    same = CloudBill.objects.filter(
        company_id=company_id,
        provider=key.provider,
        billing_account=key.billing_account,
        period_start=key.period_start,
    )
    before = same.filter(state=BillState.CURRENT).first()
    last_version = same.aggregate(last=Max("version"))["last"] or 0
    totals = bill_totals(company_id=company_id, bill_id=staged.bill_id)
    journalled = sum((event.signed for event in wanted), Decimal(0))
    digest = staged.digest.digest()
    if before is not None and bytes(before.digest or b"") == digest:
        return ImportedBill(
            key=key,
            currency=staged.currency,
            lines=totals.lines,
            known_lines=totals.lines,
            version=before.version,
            recorded=0,
            reversed=0,
            unchanged=len(wanted),
            billed=totals.billed,
            journalled=journalled,
            shrunk_from=None,
            first_line=staged.first_line,
            changes=False,
        )
    known = 0
    if before is not None:
        known = known_lines(company_id=company_id, before=before.pk, now=staged.bill_id)
    version = last_version + 1
    change = journal.change(wanted, version=version)
    if not dry_run:
        journal.apply(change)
        if before is not None:
            same.filter(pk=before.pk).update(state=BillState.SUPERSEDED)
            drop_lines(company_id=company_id, bill_ids=[before.pk])
        CloudBill.objects.filter(pk=staged.bill_id).update(
            version=version,
            state=BillState.CURRENT,
            lines=totals.lines,
            digest=digest,
            billed=totals.billed,
            effective=totals.effective,
            listed=totals.listed,
            journalled=journalled,
        )
    shrunk = before is not None and totals.lines < before.lines * SUSPICIOUS_SHARE
    return ImportedBill(
        key=key,
        currency=staged.currency,
        lines=totals.lines,
        known_lines=known,
        version=None if dry_run else version,
        recorded=len(change.record),
        reversed=len(change.take_back),
        unchanged=change.unchanged,
        billed=totals.billed,
        journalled=journalled,
        shrunk_from=before.lines if before is not None and shrunk else None,
        first_line=staged.first_line,
        changes=True,
    )
