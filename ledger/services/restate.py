"""Recording what a provider says about objects of its own: new, changed, or gone.

For a provider whose ids are stable, other content under a known id is no conflict but a correction: the event is
reversed and recorded again under the next revision, so that 10 -> 11 -> 10 ends at 10.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ledger.domain.event import EventDraft, parse_event
from ledger.domain.intake import ObjectKey
from ledger.domain.month import month_of
from ledger.domain.outcome import DUPLICATE, RECORDED
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.models.event import CapitalEvent, ExternalObject
from ledger.selectors.books import read_books
from ledger.services.announce import announce_advance
from ledger.services.journal_rows import Unrecordable, journal_row
from ledger.services.journal_table import write_rows
from ledger.services.partitions import make_missing_months
from ledger.services.record import record
from ledger.services.reverse import reverse

GONE = "taken back by the provider"
CHANGED = "corrected by the provider"
OBJECTS_PER_QUERY = 5000


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not recorded. What is recorded about its object stays as it was."""

    ordinal: int
    problems: tuple[FieldProblem, ...]

    def __str__(self) -> str:
        return "; ".join(f"{problem.field}: {problem.message}" for problem in self.problems)


@dataclass(slots=True)
class Restated:
    """How many events became what.

    Attributes:
        corrected: reversed and recorded again.
        reversed: taken back without anything in their place.
    """

    recorded: int = 0
    corrected: int = 0
    duplicates: int = 0
    reversed: int = 0
    refused: list[Refusal] = field(default_factory=list)


def make_months(events: Iterable[Mapping[str, object]], *, now: datetime) -> None:
    """Make the partitions that events need, before the transaction that records them is opened."""
    months = set()
    for event in events:
        try:
            months.add(month_of(parse_event(dict(event), now=now).occurred_at or now))
        except InvalidEvent:
            continue
    make_missing_months(months)


def restate(
    *,
    company_id: int,
    events: Sequence[Mapping[str, object]],
    removed: Sequence[ObjectKey],
    actor: str,
    now: datetime,
) -> Restated:
    """Bring the books to what a provider says, in one transaction (the caller's, when there is one).

    Of two events about the same object, account, type and direction the last counts. An event of an object that
    now comes under another account, type or direction is reversed.

    Args:
        events: fields by name, as `parse_event` takes them; each has an `external_ref`.
        removed: objects none of whose events stands; where `events` names the object too, that counts.
    """
    report = Restated()
    drafts = _drafts(events, report, now)
    with transaction.atomic():
        _wait_for_others(company_id, {draft.source for _, draft in drafts} | {key.source for key in removed})
        restating = _Restating(company_id, actor, now, report)
        restating.take(drafts, removed)
    return report


def _drafts(
    events: Sequence[Mapping[str, object]], report: Restated, now: datetime
) -> list[tuple[int, EventDraft]]:
    drafts = []
    for ordinal, event in enumerate(events):
        try:
            draft = parse_event(dict(event), now=now)
        except InvalidEvent as error:
            report.refused.append(Refusal(ordinal, error.errors))
            continue
        if not draft.external_ref or draft.occurred_at is None:
            missing = "external_ref" if not draft.external_ref else "occurred_at"
            report.refused.append(Refusal(ordinal, (FieldProblem(missing, "is required"),)))
            continue
        drafts.append((ordinal, draft))
    return drafts


def _wait_for_others(company_id: int, sources: Iterable[str]) -> None:
    """Let one at a time correct a source's objects: two would each see the other's half."""
    with connection.cursor() as cursor:
        for source in sorted(sources):
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s::int, hashtext(%s))", [company_id, f"restate:{source}"]
            )


@dataclass(slots=True)
class _Restating:
    company_id: int
    actor: str
    now: datetime
    report: Restated

    def take(self, drafts: list[tuple[int, EventDraft]], removed: Sequence[ObjectKey]) -> None:
        books = read_books(company_id=self.company_id)
        names = {number: name for name, number in books.accounts.items()}

        def key(draft: EventDraft) -> tuple[Any, ...]:
            account = draft.account or books.default_account
            return draft.source, draft.external_ref, account, draft.event_type, draft.flow

        last = {key(draft): (ordinal, draft) for ordinal, draft in drafts}
        self.report.duplicates += len(drafts) - len(last)
        told = {name[:2] for name in last}
        known = self._known(told | {(gone.source, gone.external_ref) for gone in removed})
        new: list[tuple[int, EventDraft]] = []
        standing: set[tuple[Any, ...]] = set()
        moved: dict[tuple[str, str], list[ExternalObject]] = defaultdict(list)
        for thing in known:
            name = (
                thing.source,
                thing.external_ref,
                names.get(thing.account_id),
                thing.event_type,
                thing.direction,
            )
            if name in last:
                standing.add(name)
            elif not thing.reversed:
                moved[thing.source, thing.external_ref].append(thing)
        for thing in known:
            name = (
                thing.source,
                thing.external_ref,
                names.get(thing.account_id),
                thing.event_type,
                thing.direction,
            )
            if name in last:
                self._compare(thing, *last[name], replaced=moved.pop(name[:2], []))
        for name, (ordinal, draft) in last.items():
            if name in standing:
                continue
            replaced = moved.pop(name[:2], [])
            if replaced:
                self._replace(replaced, ordinal, draft, revision=None)
            else:
                new.append((ordinal, draft))
        # What is left of these no event speaks of any more.
        for things in moved.values():
            for thing in things:
                self._reverse(thing, GONE)
                self.report.reversed += 1
        self._record(new)

    def _known(self, objects: Iterable[tuple[str, str]]) -> list[ExternalObject]:
        refs: dict[str, list[str]] = defaultdict(list)
        for source, external_ref in sorted(objects):
            refs[source].append(external_ref)
        return [
            thing
            for source, named in refs.items()
            for start in range(0, len(named), OBJECTS_PER_QUERY)
            for thing in ExternalObject.objects.filter(
                company_id=self.company_id,
                source=source,
                external_ref__in=named[start : start + OBJECTS_PER_QUERY],
            ).order_by("external_ref", "account_id", "event_type", "direction")
        ]

    def _compare(
        self, thing: ExternalObject, ordinal: int, draft: EventDraft, *, replaced: list[ExternalObject]
    ) -> None:
        said = (draft.amount, draft.currency, draft.occurred_at)
        same = said == (thing.amount, thing.currency, thing.occurred_at)
        if same and not replaced and (not thing.reversed or self._a_person_reversed(thing)):
            self.report.duplicates += 1
        elif thing.reversed:
            self._replace(replaced, ordinal, draft, revision=thing.revision + 1)
        else:
            self._replace([thing, *replaced], ordinal, draft, revision=thing.revision + 1)

    def _a_person_reversed(self, thing: ExternalObject) -> bool:
        """True when somebody in the company took the event back: the provider repeating it changes nothing."""
        reversal = CapitalEvent.objects.filter(
            company_id=self.company_id, occurred_at=thing.occurred_at, reverses=thing.event_id
        )
        return not reversal.filter(reason__in=[GONE, CHANGED]).exists()

    def _replace(
        self, things: list[ExternalObject], ordinal: int, draft: EventDraft, *, revision: int | None
    ) -> None:
        """Reverse, and record what stands in its place; neither when that is refused."""
        problems: tuple[FieldProblem, ...] = ()
        with transaction.atomic():
            for thing in things:
                self._reverse(thing, CHANGED)
            if revision is None:
                (outcome,) = record(
                    company_id=self.company_id,
                    drafts=[draft],
                    actor=self.actor,
                    now=self.now,
                    create_accounts=True,
                )
                problems = () if outcome.status == RECORDED else outcome.problems
            else:
                problems = self._revise(draft, revision)
            if problems:
                transaction.set_rollback(True)
        if problems:
            self.report.refused.append(Refusal(ordinal, problems))
        elif things:
            self.report.corrected += 1
        else:
            self.report.recorded += 1

    def _revise(self, draft: EventDraft, revision: int) -> tuple[FieldProblem, ...]:
        books = read_books(company_id=self.company_id)
        try:
            row = journal_row(
                draft, ordinal=0, company_id=self.company_id, books=books, now=self.now, revision=revision
            )
        except Unrecordable as error:
            return error.problems
        positions = write_rows(
            [row], company_id=self.company_id, base_currency=books.base_currency, actor=self.actor, now=self.now
        )
        announce_advance(company_id=self.company_id, position=positions[0])
        return ()

    def _reverse(self, thing: ExternalObject, reason: str) -> None:
        outcome = reverse(
            company_id=self.company_id,
            event_id=bytes(thing.event_id).hex(),
            reason=reason,
            actor=self.actor,
            now=self.now,
        )
        if outcome.status not in (RECORDED, DUPLICATE):
            raise RuntimeError(f"could not reverse {thing.external_ref!r}: {outcome.problems}")

    def _record(self, new: list[tuple[int, EventDraft]]) -> None:
        outcomes = record(
            company_id=self.company_id,
            drafts=[draft for _, draft in new],
            actor=self.actor,
            now=self.now,
            create_accounts=True,
        )
        for (ordinal, _), outcome in zip(new, outcomes, strict=True):
            if outcome.status == RECORDED:
                self.report.recorded += 1
            elif outcome.status == DUPLICATE:
                self.report.duplicates += 1
            else:
                self.report.refused.append(Refusal(ordinal, outcome.problems))
