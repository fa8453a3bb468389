"""What a provider says anew about its objects: its last word stands, and every earlier one stays readable.

For a provider whose objects keep their ids, other content is no conflict but a correction: the event is reversed,
with the reason, and recorded again under the next revision. So 10, then 11, then 10 again ends at 10.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched

from django.db import connection, transaction

from ledger.domain.closed_month import closed_month, closed_month_problem
from ledger.domain.event import EventDraft
from ledger.domain.intake import ObjectKey
from ledger.domain.outcome import CORRECTED, DUPLICATE, OVERTAKEN, RECORDED, REJECTED, TAKEN_BACK, Outcome
from ledger.domain.problems import FieldProblem
from ledger.metrics import EVENTS_INGESTED
from ledger.models.event import ExternalObject
from ledger.selectors.books import Books, read_books
from ledger.services.announce import announce_advance
from ledger.services.journal_rows import JournalRow, Unrecordable, journal_row
from ledger.services.journal_table import write_rows
from ledger.services.new_accounts import with_new_accounts
from ledger.services.provenance import CameBy, keep_provenance
from ledger.services.recorded_objects import (
    content_differs,
    known_objects,
    newest_word,
    place_differs,
    place_of,
    place_of_row,
    reversed_by,
)
from ledger.services.reversal_rows import ReversalRow, reversal_row, write_reversals

MAX_ATTEMPTS = 3
MAX_REASON = 255
ROWS_PER_QUERY = 5000

_TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


@dataclass(frozen=True, slots=True)
class Corrections:
    """What became of a provider's words.

    Attributes:
        events: recorded, corrected, duplicate, rejected or overtaken, an outcome per draft.
        removals: taken back, duplicate (nothing stood), rejected or overtaken, an outcome per removed object.
    """

    events: tuple[Outcome, ...]
    removals: tuple[Outcome, ...]


def correct(
    *,
    company_id: int,
    drafts: Sequence[EventDraft],
    removed: Sequence[ObjectKey] = (),
    in_doubt: Collection[ObjectKey] = (),
    said_at: datetime | None = None,
    said_by: str,
    actor: str,
    now: datetime,
    came_by: CameBy | None = None,
) -> Corrections:
    """Bring the books to what a provider says, in one transaction (the caller's, when there is one).

    What is said about an object is all of it: an event of it that comes under another account, type or direction
    now, or not any more, is reversed. Of two events in the same place the last counts. An object is changed as a
    whole or, when something of it is rejected at its months, not at all.

    What a person reversed stays so while the provider repeats it; what the provider took back itself stands again
    when it says so. Months must have their partitions.

    Args:
        removed: objects none of whose events stands; where `drafts` names the object too, that counts.
        in_doubt: objects of which an event could not be read: what is not said about them is kept.
        said_at: when it was said, where words may overtake each other: about an object of which something newer is
            known nothing changes. None where they come in order.
        said_by: for the reason of a reversal, such as `Stripe`.
        actor: the provider's, always the same: by it its own reversals are known.
        came_by: what brought the words, kept beside the events.

    Raises:
        CompanyNotFound: no such company.
        RuntimeError: others keep recording the same objects meanwhile; the whole can be tried again.
    """
    if not drafts and not removed:
        return Corrections((), ())
    with transaction.atomic():
        _take_turns(company_id, {draft.source for draft in drafts} | {key.source for key in removed})
        books = with_new_accounts(read_books(company_id=company_id), drafts, company_id=company_id, now=now)
        keys = {_key(draft) for draft in drafts} | set(removed)
        newest = keys if said_at is None else newest_word(company_id=company_id, keys=keys, said_at=said_at)
        correcting = _Correcting(company_id, books, said_by, actor, now)
        corrections = correcting.run(drafts, removed, in_doubt=in_doubt, newest=newest)
        if came_by is not None:
            keep_provenance(company_id=company_id, positions=correcting.positions, came_by=came_by)
    for status, count in Counter(outcome.status for outcome in corrections.events).items():
        EVENTS_INGESTED.labels(status=status).inc(count)
    if correcting.positions:
        announce_advance(company_id=company_id, position=max(correcting.positions))
    return corrections


def _take_turns(company_id: int, sources: Iterable[str]) -> None:
    """Let one at a time correct a source's objects: two would each see half of what the other does."""
    with connection.cursor() as cursor:
        for source in sorted(sources):
            cursor.execute(_TAKE_TURN, [f"corrections:{company_id}:{source}"])


def _key(draft: EventDraft) -> ObjectKey:
    return ObjectKey(draft.source, draft.external_ref)


@dataclass(slots=True)
class _Change:
    """What brings one object to what is said about it.

    Attributes:
        told: everything that is said about it.
        record: rows to write, behind the reversals.
    """

    told: Sequence[JournalRow] = ()
    reversals: list[ReversalRow] = field(default_factory=list)
    record: list[JournalRow] = field(default_factory=list)


@dataclass(slots=True)
class _Correcting:
    """Attributes:
    outcomes: by the place of a draft.
    removals: by object.
    positions: taken so far.
    """

    company_id: int
    books: Books
    said_by: str
    actor: str
    now: datetime
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    removals: dict[ObjectKey, Outcome] = field(default_factory=dict)
    positions: list[int] = field(default_factory=list)

    def run(
        self,
        drafts: Sequence[EventDraft],
        removed: Sequence[ObjectKey],
        *,
        in_doubt: Collection[ObjectKey],
        newest: Collection[ObjectKey],
    ) -> Corrections:
        doubtful = set(in_doubt)
        rows = self._rows(drafts, newest, doubtful)
        # The last word about a place counts; an earlier one shares what becomes of it.
        last = {place_of_row(row): row for row in rows}
        told: dict[ObjectKey, list[JournalRow]] = defaultdict(list)
        for row in last.values():
            told[_key(row.draft)].append(row)
        for key in removed:
            if key not in newest:
                self.removals[key] = Outcome(OVERTAKEN, "", None)
            elif key in told or key in doubtful:
                self.removals[key] = Outcome(DUPLICATE, "", None)
            else:
                told[key] = []
        for _ in range(MAX_ATTEMPTS):
            # Somebody else may have recorded one of these just now; then it is looked at again.
            told = self._settle(told, doubtful)
            if not told:
                break
        else:
            raise RuntimeError(f"object {next(iter(told)).external_ref!r} keeps changing under the recorder")
        for row in rows:
            if row.ordinal not in self.outcomes:
                outcome = self.outcomes[last[place_of_row(row)].ordinal]
                status = REJECTED if outcome.status == REJECTED else DUPLICATE
                self.outcomes[row.ordinal] = Outcome(
                    status, outcome.event_id, None, outcome.problems, outcome.occurred_at
                )
        return Corrections(
            tuple(self.outcomes[ordinal] for ordinal in range(len(drafts))),
            tuple(self.removals[key] for key in removed),
        )

    def _rows(
        self, drafts: Sequence[EventDraft], newest: Collection[ObjectKey], doubtful: set[ObjectKey]
    ) -> list[JournalRow]:
        rows = []
        for ordinal, draft in enumerate(drafts):
            key = _key(draft)
            if not draft.external_ref or draft.occurred_at is None:
                missing = "occurred_at" if draft.external_ref else "external_ref"
                self._reject(ordinal, (FieldProblem(missing, "is required"),))
                doubtful.add(key)
            elif key not in newest:
                self.outcomes[ordinal] = Outcome(OVERTAKEN, "", None, (), draft.occurred_at)
            else:
                try:
                    rows.append(self._row(draft, ordinal))
                except Unrecordable as error:
                    self._reject(ordinal, error.problems)
                    doubtful.add(key)
        return rows

    def _row(self, draft: EventDraft, ordinal: int, revision: int = 0) -> JournalRow:
        return journal_row(
            draft,
            ordinal=ordinal,
            company_id=self.company_id,
            books=self.books,
            now=self.now,
            revision=revision,
        )

    def _reject(self, ordinal: int, problems: tuple[FieldProblem, ...]) -> None:
        self.outcomes[ordinal] = Outcome(REJECTED, "", None, problems)

    def _settle(
        self, told: Mapping[ObjectKey, list[JournalRow]], doubtful: Collection[ObjectKey]
    ) -> dict[ObjectKey, list[JournalRow]]:
        """Bring objects to what is said about them; return what of it somebody else came before."""
        known = known_objects(company_id=self.company_id, account_ids=self.books.accounts.values(), keys=told)
        taken_back = [thing for things in known.values() for thing in things if thing.reversed]
        ours = reversed_by(company_id=self.company_id, actor=self.actor, things=taken_back)
        changes = []
        for key, rows in told.items():
            change = self._change(key, rows, known.get(key, ()), ours, keep_rest=key in doubtful)
            if self._is_open(key, change):
                changes.append(change)
        written = self._write(changes)
        left: dict[ObjectKey, list[JournalRow]] = {}
        for change in changes:
            if change.told and change.reversals and not change.record:
                # A word that only drops a part of its object takes that part back.
                word = self.outcomes[change.told[0].ordinal]
                self.outcomes[change.told[0].ordinal] = replace(word, status=TAKEN_BACK)
            status = CORRECTED if change.reversals else RECORDED
            for row in change.record:
                position = written.get(row.ordinal)
                if position is None:
                    left[_key(row.draft)] = list(change.told)
                    continue
                self.outcomes[row.ordinal] = Outcome(
                    CORRECTED if row.revision else status, row.event_id.hex(), position, (), row.occurred_at
                )
        return left

    def _change(
        self,
        key: ObjectKey,
        rows: list[JournalRow],
        things: Sequence[ExternalObject],
        ours: set[bytes],
        *,
        keep_rest: bool,
    ) -> _Change:
        change = _Change(rows)
        by_place = {place_of(thing): thing for thing in things}
        for row in rows:
            thing = by_place.pop(place_of_row(row), None)
            if thing is None:
                change.record.append(row)
                continue
            differs = content_differs(thing, row)
            if not differs and (not thing.reversed or bytes(thing.event_id) not in ours):
                # It may have been recorded here, in an earlier look.
                known = Outcome(DUPLICATE, bytes(thing.event_id).hex(), None, (), thing.occurred_at)
                self.outcomes.setdefault(row.ordinal, known)
                continue
            if not thing.reversed:
                change.reversals.append(self._reversal(thing, f"Corrected by {self.said_by}: other {differs}"))
            change.record.append(self._row(row.draft, row.ordinal, thing.revision + 1))
        rest = [] if keep_rest else [thing for thing in by_place.values() if not thing.reversed]
        for thing in rest:
            reason = f"Taken back by {self.said_by}"
            if rows:
                reason = f"Corrected by {self.said_by}: other {place_differs(thing, rows)}"
            change.reversals.append(self._reversal(thing, reason))
        if not rows:
            status, event_id = (TAKEN_BACK, change.reversals[0].event_id) if rest else (DUPLICATE, b"")
            self.removals[key] = Outcome(status, event_id.hex(), None)
        return change

    def _reversal(self, thing: ExternalObject, reason: str) -> ReversalRow:
        return reversal_row(
            company_id=self.company_id,
            account_id=thing.account_id,
            source=thing.source,
            event_type=thing.event_type,
            direction=thing.direction,
            external_ref=thing.external_ref,
            event_id=bytes(thing.event_id),
            occurred_at=thing.occurred_at,
            amount=thing.amount,
            currency=thing.currency,
            revision=thing.revision,
            reason=reason[:MAX_REASON],
        )

    def _is_open(self, key: ObjectKey, change: _Change) -> bool:
        """Whether every month that a change touches is open; the change is rejected where not."""
        if not self.books.closed_months:
            return True
        instants = [reversal.occurred_at for reversal in change.reversals]
        instants += [row.occurred_at for row in change.record]
        found = (
            closed_month(instant, timezone=self.books.timezone, closed=self.books.closed_months)
            for instant in instants
        )
        months = {month for month in found if month is not None}
        if not months:
            return True
        problems = tuple(closed_month_problem(month) for month in sorted(months))
        if not change.told:
            self.removals[key] = Outcome(REJECTED, "", None, problems)
        # Where nothing is to be recorded, a word that only drops a part of the object brought the change.
        for row in change.record or change.told[:1]:
            self._reject(row.ordinal, problems)
        return False

    def _write(self, changes: Sequence[_Change]) -> dict[int, int]:
        """Write what is new, then reversals, then what follows them; return {place of a draft: position}."""
        new = [row for change in changes if not change.reversals for row in change.record if not row.revision]
        following = [row for change in changes for row in change.record if change.reversals or row.revision]
        positions = self._write_rows(new)
        taken = write_reversals(
            [reversal for change in changes for reversal in change.reversals],
            company_id=self.company_id,
            base_currency=self.books.base_currency,
            actor=self.actor,
            now=self.now,
        )
        positions |= self._write_rows(following)
        self.positions += [*positions.values(), *taken.values()]
        return positions

    def _write_rows(self, rows: Sequence[JournalRow]) -> dict[int, int]:
        positions: dict[int, int] = {}
        for chunk in batched(rows, ROWS_PER_QUERY):
            positions |= write_rows(
                chunk,
                company_id=self.company_id,
                base_currency=self.books.base_currency,
                actor=self.actor,
                now=self.now,
            )
        return positions
