"""The one way into the journal, for a single event and a batch alike."""

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched

from django.db import connection, transaction

from ledger.domain.account import kind_of_account
from ledger.domain.event import EventDraft
from ledger.domain.month import month_of
from ledger.domain.outcome import CONFLICT, DUPLICATE, RECORDED, REJECTED, Outcome
from ledger.domain.problems import FieldProblem
from ledger.metrics import EVENTS_INGESTED
from ledger.models.account import Account
from ledger.selectors.books import Books, read_books
from ledger.services.announce import announce_advance
from ledger.services.journal_rows import JournalRow, Unrecordable, journal_row, row_json
from ledger.services.partitions import make_missing_months
from ledger.services.transient import try_again

# Rows per statement: large enough to forget the round trip, small enough to build in a few megabytes.
ROWS_PER_STATEMENT = 5000
MAX_REVISION_ATTEMPTS = 3

_RECORD = "SELECT ordinal, position FROM ledger_record(%s, %s, %s, %s, %s, %s)"
_COMPARE = "SELECT ordinal, status, event_id, position, revision, differs FROM ledger_compare(%s, %s)"


def record(
    *,
    company_id: int,
    drafts: Sequence[EventDraft],
    actor: str,
    now: datetime,
    create_accounts: bool = False,
    dry_run: bool = False,
) -> tuple[Outcome, ...]:
    """Append events to a company's journal, in one transaction, and return what became of each, in order.

    An event that cannot be recorded (unknown account, no exchange rate, a conflict) does not sink the others. Missing
    partitions are made first. After the commit `journal_advanced` is sent. Transient failures are tried again.

    Args:
        actor: who records, for the journal: a person's e-mail address or `token:<name>`.
        now: aware; becomes `recorded_at`, and `occurred_at` where a draft has none.
        create_accounts: make an account that is not there, its kind told by the beginning of its name.
        dry_run: do everything, then roll back; the outcomes are those of a real run.

    Raises:
        CompanyNotFound: no such company.
        OperationalError: the database refused six times.
    """
    if not drafts:
        return ()
    recording = _Recording(company_id=company_id, actor=actor, now=now, create_accounts=create_accounts)

    def write() -> tuple[Outcome, ...]:
        # A single event is a single statement, which is a transaction already.
        alone = len(drafts) == 1 and not create_accounts and not dry_run
        with nullcontext() if alone else transaction.atomic():
            outcomes = recording.write(drafts)
            if dry_run:
                transaction.set_rollback(True)
        return outcomes

    if not dry_run:
        make_missing_months(_months(drafts, now))
    outcomes = try_again(write)
    if not dry_run:
        _tell(company_id, outcomes)
    return outcomes


def _months(drafts: Sequence[EventDraft], now: datetime) -> set:
    return {month_of(draft.occurred_at or now) for draft in drafts}


def _tell(company_id: int, outcomes: tuple[Outcome, ...]) -> None:
    for status, count in Counter(outcome.status for outcome in outcomes).items():
        EVENTS_INGESTED.labels(status=status).inc(count)
    last = max((o.position for o in outcomes if o.status == RECORDED and o.position is not None), default=None)
    if last is not None:
        announce_advance(company_id=company_id, position=last)


@dataclass(frozen=True, slots=True)
class _Recording:
    """One attempt to write drafts; `outcomes` is keyed by ordinal."""

    company_id: int
    actor: str
    now: datetime
    create_accounts: bool
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def write(self, drafts: Sequence[EventDraft]) -> tuple[Outcome, ...]:
        self.outcomes.clear()
        books = read_books(company_id=self.company_id)
        if self.create_accounts:
            books = self._with_new_accounts(books, drafts)
        rows = self._rows(drafts, books)
        firsts, followers, repeats = _told_apart(rows)
        for chunk in batched(firsts, ROWS_PER_STATEMENT):
            self._insert(chunk, books)
        # The objects of these are there now, whoever wrote them, so each is a duplicate, a conflict or a revision.
        self._compare(followers, books)
        for row, leader in repeats:
            outcome = self.outcomes[leader]
            self.outcomes[row.ordinal] = (
                Outcome(DUPLICATE, outcome.event_id, outcome.position, (), row.occurred_at)
                if outcome.status == RECORDED
                else outcome
            )
        return tuple(self.outcomes[ordinal] for ordinal in range(len(drafts)))

    def _rows(self, drafts: Sequence[EventDraft], books: Books) -> list[JournalRow]:
        rows = []
        for ordinal, draft in enumerate(drafts):
            try:
                rows.append(
                    journal_row(draft, ordinal=ordinal, company_id=self.company_id, books=books, now=self.now)
                )
            except Unrecordable as error:
                self.outcomes[ordinal] = Outcome(REJECTED, "", None, error.problems)
        return rows

    def _with_new_accounts(self, books: Books, drafts: Sequence[EventDraft]) -> Books:
        missing: dict[str, str] = {}
        for draft in drafts:
            if draft.account is not None and draft.account not in books.accounts:
                missing.setdefault(draft.account, draft.currency)
        kinds = {name: kind for name in missing if (kind := kind_of_account(name)) is not None}
        if not kinds:
            return books
        # In the order of their names, so that two imports of the same file wait for each other.
        Account.objects.bulk_create(
            [
                Account(
                    company_id=self.company_id,
                    name=name,
                    kind=kinds[name],
                    currency=missing[name],
                    timezone=books.timezone,
                    created_at=self.now,
                )
                for name in sorted(kinds)
            ],
            ignore_conflicts=True,
        )
        return read_books(company_id=self.company_id)

    def _insert(self, rows: Sequence[JournalRow], books: Books) -> None:
        written = self._call_record(rows, books)
        rest = []
        for row in rows:
            position = written.get(row.ordinal)
            if position is None:
                rest.append(row)
            else:
                self.outcomes[row.ordinal] = Outcome(RECORDED, row.event_id.hex(), position, (), row.occurred_at)
        self._compare(rest, books)

    def _call_record(self, rows: Sequence[JournalRow], books: Books) -> dict[int, int]:
        sources = sorted({row.draft.source for row in rows})
        payload = f"[{','.join(map(row_json, rows))}]"
        with connection.cursor() as cursor:
            cursor.execute(_RECORD, [self.company_id, books.base_currency, self.now, self.actor, sources, payload])
            return dict(cursor.fetchall())

    def _call_compare(self, rows: Sequence[JournalRow]) -> list[tuple]:
        payload = f"[{','.join(map(row_json, rows))}]"
        with connection.cursor() as cursor:
            cursor.execute(_COMPARE, [self.company_id, payload])
            return cursor.fetchall()

    def _compare(self, rows: Sequence[JournalRow], books: Books) -> None:
        by_ordinal = {row.ordinal: row for row in rows}
        for chunk in batched(rows, ROWS_PER_STATEMENT):
            for ordinal, status, event_id, position, revision, differs in self._call_compare(chunk):
                row = by_ordinal[ordinal]
                if status == "revise":
                    self.outcomes[ordinal] = self._revise(row, books, revision)
                else:
                    self.outcomes[ordinal] = _settled(row, status, bytes(event_id), position, differs)

    def _revise(self, row: JournalRow, books: Books, revision: int) -> Outcome:
        """Record new content for an object whose event was taken back. Rare, so one by one."""
        for _ in range(MAX_REVISION_ATTEMPTS):
            revised = journal_row(
                row.draft,
                ordinal=row.ordinal,
                company_id=self.company_id,
                books=books,
                now=self.now,
                revision=revision,
            )
            written = self._call_record([revised], books)
            if written:
                return Outcome(RECORDED, revised.event_id.hex(), written[row.ordinal], (), row.occurred_at)
            ((_, status, event_id, position, revision, differs),) = self._call_compare([row])
            if status != "revise":
                return _settled(row, status, bytes(event_id), position, differs)
        raise RuntimeError(f"object {row.draft.external_ref!r} keeps changing under the recorder")


def _settled(row: JournalRow, status: str, event_id: bytes, position: int, differs: list[str]) -> Outcome:
    if status == DUPLICATE:
        return Outcome(DUPLICATE, event_id.hex(), position, (), row.occurred_at)
    problems = tuple(FieldProblem(name, _differing(row, name)) for name in differs)
    return Outcome(CONFLICT, event_id.hex(), position, problems, row.occurred_at)


def _differing(row: JournalRow, name: str) -> str:
    reference = row.draft.external_ref
    return f"differs from what is recorded for external_ref {reference}"


def _told_apart(
    rows: Sequence[JournalRow],
) -> tuple[list[JournalRow], list[JournalRow], list[tuple[JournalRow, int]]]:
    """Split rows into the first of each object, later ones of the same object with other content, and plain repeats.

    A repeat comes with the ordinal of the row it repeats.
    """
    firsts: list[JournalRow] = []
    followers: list[JournalRow] = []
    repeats: list[tuple[JournalRow, int]] = []
    ordinals: dict[bytes, int] = {}
    objects: set = set()
    for row in rows:
        leader = ordinals.setdefault(row.event_id, row.ordinal)
        if leader != row.ordinal:
            repeats.append((row, leader))
            continue
        key = row.object_key
        if key in objects:
            followers.append(row)
        else:
            objects.add(key)
            firsts.append(row)
    return firsts, followers, repeats
