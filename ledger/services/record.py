"""The one way into the journal, for a single event and a batch alike."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import batched

from django.db import transaction

from ledger.domain.closed_month import closed_month, closed_month_problem
from ledger.domain.event import EventDraft
from ledger.domain.month import month_of
from ledger.domain.outcome import CONFLICT, DUPLICATE, RECORDED, REJECTED, JournalEntry, Outcome
from ledger.domain.problems import FieldProblem
from ledger.metrics import EVENTS_INGESTED
from ledger.selectors.books import Books, read_books
from ledger.selectors.journal import find_event
from ledger.services.announce import announce_advance
from ledger.services.closed_months import permit_entries
from ledger.services.group_commit import write_together
from ledger.services.journal_rows import JournalRow, Unrecordable, journal_entry, journal_row
from ledger.services.journal_table import Standing, compare_rows, write_rows
from ledger.services.new_accounts import with_new_accounts
from ledger.services.partitions import make_missing_months
from ledger.services.provenance import CameBy, keep_provenance
from ledger.services.transient import try_again

# Rows per statement: large enough to forget the round trip, small enough to build in a few megabytes.
ROWS_PER_STATEMENT = 5000
MAX_REVISION_ATTEMPTS = 3


class BooksInsufficient(RuntimeError):
    """With the books as they were read earlier the event cannot be recorded; read them anew."""


def record(
    *,
    company_id: int,
    drafts: Sequence[EventDraft],
    actor: str,
    now: datetime,
    create_accounts: bool = False,
    dry_run: bool = False,
    closed_month_reason: str = "",
    came_by: CameBy | None = None,
) -> tuple[Outcome, ...]:
    """Append events to a company's journal, in one transaction, and return what became of each, in order.

    An event that cannot be recorded (unknown account, no exchange rate, a conflict) does not sink the others.
    Missing partitions are made first. After the commit `journal_advanced` is sent. Transient failures are tried
    again.

    Args:
        actor: who records, for the journal: a person's e-mail address or `token:<name>`.
        now: aware; becomes `recorded_at`, and `occurred_at` where a draft has none.
        create_accounts: make an account that is not there, its kind told by the beginning of its name.
        dry_run: do everything but write what is plainly new, then roll back; the outcomes are those of a real run,
            without positions.
        closed_month_reason: an admin's, why events go into closed months all the same. Without one they are
            rejected, unless they are there already.
        came_by: what brought the events, kept beside them.

    Raises:
        CompanyNotFound: no such company.
        OperationalError: the database refused six times.
    """
    recording = _Recording(
        company_id=company_id,
        actor=actor,
        now=now,
        create_accounts=create_accounts,
        closed_month_reason=closed_month_reason,
        came_by=came_by,
    )
    return recording.run(drafts, dry_run=dry_run)


def record_one(
    *, company_id: int, draft: EventDraft, actor: str, now: datetime, books: Books | None = None
) -> tuple[Outcome, JournalEntry | None]:
    """Append one event; return what became of it and the event as it stands in the journal, None when rejected.

    For a duplicate or a conflict that is the event that was there before.

    Args:
        books: as read earlier. With them a new event is recorded in one statement, and nothing else is answered.

    Raises:
        BooksInsufficient: `books` were given, and the event is not new, or refused, or the books have changed;
            nothing is recorded, and without them the same call tells.
        CompanyNotFound: no such company.
        OperationalError: the database refused six times.
    """
    if books is not None:
        return _record_new(draft, company_id=company_id, books=books, actor=actor, now=now)
    recording = _Recording(company_id=company_id, actor=actor, now=now, create_accounts=False)
    (outcome,) = recording.run((draft,), dry_run=False)
    if outcome.status == REJECTED:
        return outcome, None
    if outcome.status == RECORDED and outcome.position is not None:
        return outcome, journal_entry(recording.written[-1], position=outcome.position, actor=actor, now=now)
    entry = find_event(company_id=company_id, event_id=outcome.event_id, occurred_at=outcome.occurred_at)
    return outcome, entry


def _record_new(
    draft: EventDraft, *, company_id: int, books: Books, actor: str, now: datetime
) -> tuple[Outcome, JournalEntry]:
    """Append an event that is new, in one statement."""
    try:
        row = journal_row(draft, ordinal=0, company_id=company_id, books=books, now=now)
    except Unrecordable as error:
        raise BooksInsufficient(str(error)) from None
    if _closed_month(row, books) is not None:
        raise BooksInsufficient("the month is closed")
    make_missing_months((month_of(row.occurred_at),))
    position = try_again(lambda: write_together(row, company_id=company_id, books=books, actor=actor, now=now))
    if position is None:
        raise BooksInsufficient("the event is not new, or the books have changed")
    EVENTS_INGESTED.labels(status=RECORDED).inc()
    announce_advance(company_id=company_id, position=position)
    outcome = Outcome(RECORDED, row.event_id.hex(), position, (), row.occurred_at)
    return outcome, journal_entry(row, position=position, actor=actor, now=now)


def _closed_month(row: JournalRow, books: Books) -> date | None:
    return closed_month(row.occurred_at, timezone=books.timezone, closed=books.closed_months)


def _months(drafts: Iterable[EventDraft], now: datetime) -> set[date]:
    return {month_of(draft.occurred_at or now) for draft in drafts}


@dataclass(frozen=True, slots=True)
class _Recording:
    """Attributes:
    outcomes: keyed by ordinal.
    written: rows that were new, in the order they were written.
    """

    company_id: int
    actor: str
    now: datetime
    create_accounts: bool
    closed_month_reason: str = ""
    came_by: CameBy | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    written: list[JournalRow] = field(default_factory=list)

    def run(self, drafts: Sequence[EventDraft], *, dry_run: bool) -> tuple[Outcome, ...]:
        if not drafts:
            return ()
        # A single event is a single statement, and that is a transaction already.
        alone = (
            len(drafts) == 1
            and not self.create_accounts
            and not dry_run
            and not self.closed_month_reason
            and self.came_by is None
        )

        def attempt() -> tuple[Outcome, ...]:
            with nullcontext() if alone else transaction.atomic():
                outcomes = self._write(drafts, dry_run=dry_run)
                if dry_run:
                    transaction.set_rollback(True)
            return outcomes

        if dry_run:
            return try_again(attempt)
        make_missing_months(_months(drafts, self.now))
        outcomes = try_again(attempt)
        self._tell(outcomes)
        return outcomes

    def _tell(self, outcomes: tuple[Outcome, ...]) -> None:
        for status, count in Counter(outcome.status for outcome in outcomes).items():
            EVENTS_INGESTED.labels(status=status).inc(count)
        if self.written:
            last = max(outcome.position or 0 for outcome in outcomes)
            announce_advance(company_id=self.company_id, position=last)

    def _write(self, drafts: Sequence[EventDraft], *, dry_run: bool) -> tuple[Outcome, ...]:
        self.outcomes.clear()
        self.written.clear()
        books = read_books(company_id=self.company_id)
        if self.create_accounts:
            books = with_new_accounts(books, drafts, company_id=self.company_id, now=self.now)
        rows, kept_out = self._by_month(self._rows(drafts, books), books)
        firsts, followers, repeats = _told_apart(rows)
        if dry_run:
            firsts = self._foresee(firsts, followers)
        for chunk in batched(firsts, ROWS_PER_STATEMENT):
            self._insert(chunk, books)
        # The objects of these are there now, whoever wrote them: each is a duplicate, a conflict or a revision.
        self._compare(followers, books)
        for row, leader in repeats:
            outcome = self.outcomes[leader]
            if outcome.status == RECORDED:
                outcome = Outcome(DUPLICATE, outcome.event_id, outcome.position, (), outcome.occurred_at)
            self.outcomes[row.ordinal] = outcome
        self._keep_out(kept_out)
        if books.closed_months and self.closed_month_reason:
            self._permit(books)
        if self.came_by is not None and not dry_run:
            positions = [
                outcome.position
                for outcome in self.outcomes.values()
                if outcome.status == RECORDED and outcome.position is not None
            ]
            keep_provenance(company_id=self.company_id, positions=positions, came_by=self.came_by)
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

    def _by_month(
        self, rows: list[JournalRow], books: Books
    ) -> tuple[list[JournalRow], list[tuple[JournalRow, date]]]:
        """Split rows into those that may be recorded and those whose month is closed, which come with it."""
        if not books.closed_months or self.closed_month_reason:
            return rows, []
        months = [_closed_month(row, books) for row in rows]
        kept_out = [(row, month) for row, month in zip(rows, months, strict=True) if month is not None]
        return [row for row, month in zip(rows, months, strict=True) if month is None], kept_out

    def _keep_out(self, kept_out: list[tuple[JournalRow, date]]) -> None:
        """A repeat of what a closed month holds is still a repeat; anything else is rejected."""
        for chunk in batched(kept_out, ROWS_PER_STATEMENT):
            standing = {
                found.ordinal: found
                for found in compare_rows([row for row, _ in chunk], company_id=self.company_id)
            }
            for row, month in chunk:
                found = standing.get(row.ordinal)
                if found is None or found.status == "revise":
                    self.outcomes[row.ordinal] = Outcome(REJECTED, "", None, (closed_month_problem(month),))
                else:
                    self.outcomes[row.ordinal] = _settled(row, found)

    def _permit(self, books: Books) -> None:
        entries = [
            (row.event_id, month) for row in self.written if (month := _closed_month(row, books)) is not None
        ]
        permit_entries(
            entries, company_id=self.company_id, reason=self.closed_month_reason, actor=self.actor, now=self.now
        )

    def _foresee(self, firsts: list[JournalRow], followers: list[JournalRow]) -> list[JournalRow]:
        """Say of which objects nothing is there yet, and return the others, which only writing tells about.

        What was written and rolled back stays in the tables and their indexes until they are vacuumed, and holds
        up who records meanwhile: a preview of a large file is not to cost that.
        """
        followed = {row.object_key for row in followers}
        alone = [row for row in firsts if row.object_key not in followed]
        standing: set[int] = set()
        for chunk in batched(alone, ROWS_PER_STATEMENT):
            standing.update(found.ordinal for found in compare_rows(chunk, company_id=self.company_id))
        rest = [row for row in firsts if row.ordinal in standing or row.object_key in followed]
        for row in alone:
            if row.ordinal not in standing:
                self.outcomes[row.ordinal] = Outcome(RECORDED, row.event_id.hex(), None, (), row.occurred_at)
        return rest

    def _insert(self, rows: Sequence[JournalRow], books: Books) -> None:
        positions = self._positions(rows, books)
        rest = []
        for row in rows:
            position = positions.get(row.ordinal)
            if position is None:
                rest.append(row)
            else:
                self.written.append(row)
                self.outcomes[row.ordinal] = Outcome(RECORDED, row.event_id.hex(), position, (), row.occurred_at)
        self._compare(rest, books)

    def _positions(self, rows: Sequence[JournalRow], books: Books) -> dict[int, int]:
        return write_rows(
            rows,
            company_id=self.company_id,
            base_currency=books.base_currency,
            actor=self.actor,
            now=self.now,
        )

    def _compare(self, rows: Sequence[JournalRow], books: Books) -> None:
        for chunk in batched(rows, ROWS_PER_STATEMENT):
            waiting = list(chunk)
            for _ in range(MAX_REVISION_ATTEMPTS):
                waiting = self._revise(waiting, books)
                if not waiting:
                    break
            else:
                reference = waiting[0].draft.external_ref
                raise RuntimeError(f"object {reference!r} keeps changing under the recorder")

    def _revise(self, rows: Sequence[JournalRow], books: Books) -> list[JournalRow]:
        """Say what stands in the way of rows, and record new content for objects whose event was taken back.

        Return the rows that came too late: their object has changed once more, and they are to be compared again.
        """
        by_ordinal = {row.ordinal: row for row in rows}
        revised: dict[object, JournalRow] = {}
        late = []
        for standing in compare_rows(rows, company_id=self.company_id):
            row = by_ordinal[standing.ordinal]
            if standing.status != "revise":
                self.outcomes[row.ordinal] = _settled(row, standing)
            elif row.object_key in revised:
                late.append(row)
            else:
                revised[row.object_key] = journal_row(
                    row.draft,
                    ordinal=row.ordinal,
                    company_id=self.company_id,
                    books=books,
                    now=self.now,
                    revision=standing.revision,
                )
        positions = self._positions(list(revised.values()), books) if revised else {}
        for row in revised.values():
            position = positions.get(row.ordinal)
            if position is None:
                late.append(by_ordinal[row.ordinal])
            else:
                self.written.append(row)
                self.outcomes[row.ordinal] = Outcome(RECORDED, row.event_id.hex(), position, (), row.occurred_at)
        return late


def _settled(row: JournalRow, standing: Standing) -> Outcome:
    event_id = standing.event_id.hex()
    if standing.status == DUPLICATE:
        return Outcome(DUPLICATE, event_id, None, (), standing.occurred_at)
    message = f"differs from what is recorded for external_ref {row.draft.external_ref}"
    problems = tuple(FieldProblem(name, message) for name in standing.differs)
    return Outcome(CONFLICT, event_id, None, problems, standing.occurred_at)


def _told_apart(
    rows: Sequence[JournalRow],
) -> tuple[list[JournalRow], list[JournalRow], list[tuple[JournalRow, int]]]:
    """Split rows into the first of each object, others of the same object with other content, and plain repeats.

    A repeat comes with the ordinal of the row it repeats.
    """
    firsts: list[JournalRow] = []
    followers: list[JournalRow] = []
    repeats: list[tuple[JournalRow, int]] = []
    ordinals: dict[bytes, int] = {}
    objects: set[object] = set()
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
