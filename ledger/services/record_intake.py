"""Recording everything that a delivery or a walk says, in the transaction of whoever calls."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from django.db import transaction

from ledger.domain.account import kind_of_account
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.intake import Fate, Intake, ObjectKey, StatedBalance
from ledger.domain.month import month_of
from ledger.domain.outcome import (
    CONFLICT,
    CORRECTED,
    DUPLICATE,
    OVERTAKEN,
    RECORDED,
    REJECTED,
    TAKEN_BACK,
    Outcome,
)
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.models.account import Account
from ledger.selectors.books import read_books
from ledger.services.corrections import correct
from ledger.services.credit_notes import InvalidCreditNote, state_credit_note
from ledger.services.lowered_balances import InvalidLoweredBalance, state_lowered_balance
from ledger.services.partitions import make_missing_months
from ledger.services.provenance import CameBy
from ledger.services.record import record
from ledger.services.recorded_objects import newest_word
from ledger.services.service_periods import InvalidServicePeriod, state_service_period, void_service_periods
from ledger.services.settled_invoices import (
    InvalidSettledInvoice,
    state_before_void,
    state_settled_invoice,
    void_settled_invoice,
)
from ledger.services.settlements import settle
from ledger.services.statements import InvalidStatement, state_balance

_FATES = {
    RECORDED: Fate.RECORDED,
    CORRECTED: Fate.CORRECTED,
    DUPLICATE: Fate.DUPLICATE,
    TAKEN_BACK: Fate.TAKEN_BACK,
    OVERTAKEN: Fate.IGNORED,
    REJECTED: Fate.REJECTED,
    CONFLICT: Fate.REJECTED,
}

_REFUSALS = (
    InvalidStatement,
    InvalidServicePeriod,
    InvalidSettledInvoice,
    InvalidLoweredBalance,
    InvalidCreditNote,
)


@dataclass(frozen=True, slots=True)
class ReadIntake:
    """An intake whose events are drafts now.

    Attributes:
        drafts: of the events that are in order, by their place in the intake.
        refused: what is wrong with the others, by their place.
    """

    intake: Intake
    drafts: Mapping[int, EventDraft]
    refused: Mapping[int, tuple[FieldProblem, ...]]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was said, and what became of it.

    Attributes:
        name: by which it is known again when the same is said once more: `event` with source, reference, type and
            direction, or with its id where it has no reference; `removed` with source and reference; and others.
        problems: why it is rejected.
    """

    name: tuple[str, ...]
    fate: Fate
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class IntakeOutcome:
    """What became of everything that an intake says.

    Attributes:
        items: its events, in order, then what it removes, in order, then balances, service periods, invoices
            and credit notes.
        problems: why items are rejected, their fields told apart by place where there are several events.
    """

    items: tuple[Item, ...] = ()
    problems: tuple[FieldProblem, ...] = ()

    def count(self, fate: Fate) -> int:
        return sum(item.fate == fate for item in self.items)

    def counts(self) -> Counter[str]:
        """Return how many items met which fate, by the names of `ItemCounts`."""
        return Counter(item.fate.value for item in self.items)


def read_intake(intake: Intake, *, now: datetime) -> ReadIntake:
    """Check the events of an intake and make the months that they fall into; call it outside of a transaction."""
    drafts: dict[int, EventDraft] = {}
    refused: dict[int, tuple[FieldProblem, ...]] = {}
    for place, raw in enumerate(intake.events):
        try:
            draft = parse_event(raw, now=now)
        except InvalidEvent as error:
            refused[place] = error.errors
        else:
            drafts[place] = replace(draft, settlement=intake.settlements.get(place))
    make_missing_months({month_of(draft.occurred_at or now) for draft in drafts.values()})
    return ReadIntake(intake, drafts, refused)


def record_intake(
    *,
    company_id: int,
    read: ReadIntake,
    origin: str,
    label: str,
    stable_ids: bool,
    actor: str,
    now: datetime,
    came_by: CameBy | None = None,
) -> IntakeOutcome:
    """Record the drafts, take back what is removed, keep balances and service periods. All or nothing.

    Args:
        origin: who states the balances, e.g. `stripe`.
        label: for the reasons of corrections, e.g. `Stripe`.
        stable_ids: other content for a known object corrects it; else it is rejected.
        came_by: what brought the intake, kept beside its events.
    """
    recording = _Recording(company_id, read, actor, now)
    with transaction.atomic():
        recording.write(label=label, stable_ids=stable_ids, came_by=came_by)
        recording.state(origin)
    return recording.outcome()


@dataclass(slots=True)
class _Recording:
    company_id: int
    read: ReadIntake
    actor: str
    now: datetime
    items: list[Item] = field(default_factory=list)

    def write(self, *, label: str, stable_ids: bool, came_by: CameBy | None) -> None:
        intake, places = self.read.intake, tuple(self.read.drafts)
        drafts = [self.read.drafts[place] for place in places]
        corrections = correct(
            company_id=self.company_id,
            drafts=drafts if stable_ids else (),
            removed=intake.removed,
            in_doubt={key for place in self.read.refused if (key := _key(intake.events[place])) is not None},
            said_at=intake.said_at,
            said_by=label,
            actor=self.actor,
            now=self.now,
            came_by=came_by,
        )
        outcomes = corrections.events
        if not stable_ids:
            outcomes = record(
                company_id=self.company_id,
                drafts=drafts,
                actor=self.actor,
                now=self.now,
                create_accounts=True,
                came_by=came_by,
            )
        by_place = {
            place: self._settled(self.read.drafts[place], outcome, label=label, came_by=came_by)
            for place, outcome in zip(places, outcomes, strict=True)
        }
        for place in range(len(intake.events)):
            if place in by_place:
                outcome = by_place[place]
                name = _event_name(self.read.drafts[place], outcome)
                self.items.append(Item(name, _FATES[outcome.status], outcome.problems))
            else:
                self.items.append(Item(("event", f"[{place}]"), Fate.REJECTED, self.read.refused[place]))
        for key, outcome in zip(intake.removed, corrections.removals, strict=True):
            name = ("removed", key.source, key.external_ref)
            self.items.append(Item(name, _FATES[outcome.status], outcome.problems))

    def _settled(self, draft: EventDraft, outcome: Outcome, *, label: str, came_by: CameBy | None) -> Outcome:
        """What becomes of an event that is known; the rate at which its money was changed may be new."""
        if outcome.status not in (DUPLICATE, OVERTAKEN):
            return outcome
        settled = settle(
            company_id=self.company_id,
            draft=draft,
            said_by=label,
            actor=self.actor,
            now=self.now,
            came_by=came_by,
        )
        return settled or outcome

    def state(self, origin: str) -> None:
        intake = self.read.intake
        news = _documents_with_news(self.company_id, intake)
        for balance in intake.balances:
            name = ("balance", balance.account, balance.currency, balance.day.isoformat())
            self._state(name, partial(self._state_balance, balance, origin))
        for period in intake.service_periods:
            name = ("service_period", period.source, period.external_ref, period.line)
            say = partial(state_service_period, company_id=self.company_id, period=period)
            is_news = not period.document or ObjectKey(period.source, period.document) in news
            self._state(name, partial(say, actor=self.actor, now=self.now), is_news=is_news)
        for invoice in intake.settled:
            is_void = ObjectKey(invoice.source, invoice.document) in intake.voided
            settle_invoice = partial(
                state_before_void if is_void else state_settled_invoice,
                company_id=self.company_id,
                invoice=invoice,
            )
            self._state(
                ("settled_invoice", invoice.source, invoice.document),
                partial(settle_invoice, actor=self.actor, now=self.now),
                is_news=ObjectKey(invoice.source, invoice.document) in news,
            )
        for lowered in intake.lowered:
            lower = partial(state_lowered_balance, company_id=self.company_id, balance=lowered)
            self._state(
                ("lowered_balance", lowered.source, lowered.customer, lowered.at.isoformat()),
                partial(lower, actor=self.actor, now=self.now),
            )
        for document in intake.voided:
            self._state(
                ("voided", document.source, document.external_ref),
                partial(self._void, document),
                is_news=document in news,
            )
        for note in intake.credit_notes:
            credit = partial(state_credit_note, company_id=self.company_id, note=note)
            self._state(
                ("credit_note", note.source, note.external_ref),
                partial(credit, actor=self.actor, now=self.now),
                is_news=ObjectKey(note.source, note.external_ref) in news,
            )

    def _state(self, name: tuple[str, ...], say: Callable[[], object], *, is_news: bool = True) -> None:
        if not is_news:
            self.items.append(Item(name, Fate.IGNORED))
            return
        try:
            say()
        except _REFUSALS as error:
            self.items.append(Item(name, Fate.REJECTED, (FieldProblem(name[0], str(error)),)))
        else:
            self.items.append(Item(name, Fate.STATED))

    def _void(self, document: ObjectKey) -> None:
        for void in (void_service_periods, void_settled_invoice):
            void(company_id=self.company_id, document=document, actor=self.actor, now=self.now)

    def _state_balance(self, balance: StatedBalance, origin: str) -> None:
        _make_account(self.company_id, balance, self.now)
        state_balance(
            company_id=self.company_id,
            account=balance.account,
            currency=balance.currency,
            amount=balance.amount,
            day=balance.day,
            as_of=balance.as_of,
            origin=origin,
            actor=self.actor,
            now=self.now,
        )

    def outcome(self) -> IntakeOutcome:
        return IntakeOutcome(tuple(self.items), tuple(_placed(self.items, events=len(self.read.intake.events))))


def _documents_with_news(company_id: int, intake: Intake) -> frozenset[ObjectKey]:
    """Invoices and credit notes about which nothing newer is known than what the intake says."""
    keys = set(intake.voided)
    keys |= {ObjectKey(note.source, note.external_ref) for note in intake.credit_notes}
    keys |= {ObjectKey(period.source, period.document) for period in intake.service_periods if period.document}
    keys |= {ObjectKey(invoice.source, invoice.document) for invoice in intake.settled}
    if intake.said_at is None or not keys:
        return frozenset(keys)
    return newest_word(company_id=company_id, keys=keys, said_at=intake.said_at)


def _key(raw: object) -> ObjectKey | None:
    """The object that an event is about which could not be read; None when not even that can be told."""
    if not isinstance(raw, Mapping):
        return None
    source, external_ref = raw.get("source"), raw.get("external_ref")
    if not isinstance(source, str) or not isinstance(external_ref, str):
        return None
    return ObjectKey(source, external_ref)


def _event_name(draft: EventDraft, outcome: Outcome) -> tuple[str, ...]:
    if not draft.external_ref:
        return ("event", outcome.event_id)
    return ("event", draft.source, draft.external_ref, draft.event_type, draft.flow)


def _placed(items: Sequence[Item], *, events: int) -> Iterator[FieldProblem]:
    for place, item in enumerate(items):
        if events == 1 or place >= events:
            yield from item.problems
        else:
            yield from _at(place, item.problems)


def _at(place: int, problems: Iterable[FieldProblem]) -> Iterator[FieldProblem]:
    for problem in problems:
        yield FieldProblem(f"[{place}].{problem.field}".rstrip("."), problem.message)


def _make_account(company_id: int, balance: StatedBalance, now: datetime) -> None:
    """A balance may be stated before anything moved; its account is made like one that events name."""
    kind = kind_of_account(balance.account)
    if kind is None:
        return
    Account.objects.get_or_create(
        company_id=company_id,
        name=balance.account,
        defaults={
            "kind": kind,
            "currency": balance.currency,
            "timezone": read_books(company_id=company_id).timezone,
            "created_at": now,
        },
    )
