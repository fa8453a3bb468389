"""Recording everything that a delivery says, in the transaction of whoever calls."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from ledger.domain.account import kind_of_account
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.intake import Intake, ObjectKey, StatedBalance
from ledger.domain.month import month_of
from ledger.domain.outcome import CONFLICT, DUPLICATE, RECORDED, REJECTED
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.models.account import Account
from ledger.selectors.books import read_books
from ledger.services.corrections import CORRECTED, newest_word, record_or_correct, take_back
from ledger.services.partitions import make_missing_months
from ledger.services.record import record
from ledger.services.service_periods import InvalidServicePeriod, state_service_periods
from ledger.services.statements import InvalidStatement, state_balance


@dataclass(frozen=True, slots=True)
class ReadIntake:
    """An intake whose events are drafts now.

    Attributes:
        drafts: (place in the intake, draft) of the events that are in order.
        problems: of the others, their fields told apart by place where there are several events.
    """

    intake: Intake
    drafts: tuple[tuple[int, EventDraft], ...]
    rejected: int
    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True)
class IntakeOutcome:
    """What became of the events and removals of an intake.

    Attributes:
        corrected: events that replaced others, and objects taken back.
        problems: why `rejected` were not recorded.
    """

    recorded: int
    duplicate: int
    corrected: int
    rejected: int
    problems: tuple[FieldProblem, ...]


def read_intake(intake: Intake, *, now: datetime) -> ReadIntake:
    """Check the events of an intake and make the months that they fall into; call it outside of a transaction."""
    drafts = []
    rejected = 0
    problems: list[FieldProblem] = []
    for place, raw in enumerate(intake.events):
        try:
            draft = parse_event(raw, now=now)
        except InvalidEvent as error:
            rejected += 1
            problems += _placed(error.errors, place, intake)
        else:
            drafts.append((place, replace(draft, settlement=intake.settlements.get(place))))
    make_missing_months({month_of(draft.occurred_at or now) for _, draft in drafts})
    return ReadIntake(intake, tuple(drafts), rejected, tuple(problems))


def record_intake(
    *, company_id: int, read: ReadIntake, origin: str, label: str, stable_ids: bool, actor: str, now: datetime
) -> IntakeOutcome:
    """Record the drafts, take back what is removed, keep balances and service periods. All or nothing.

    Args:
        origin: who states the balances, e.g. `stripe`.
        label: for the reasons of corrections, e.g. `Stripe`.
        stable_ids: other content for a known object corrects it; else it is rejected.
    """
    with transaction.atomic():
        known = _newest(company_id, read)
        fresh = [(place, draft) for place, draft in read.drafts if known is None or _key(draft) in known]
        counts: Counter[str] = Counter({DUPLICATE: len(read.drafts) - len(fresh), REJECTED: read.rejected})
        problems = list(read.problems)
        drafts = [draft for _, draft in fresh]
        if stable_ids:
            outcomes = record_or_correct(company_id=company_id, drafts=drafts, said_by=label, actor=actor, now=now)
        else:
            outcomes = record(company_id=company_id, drafts=drafts, actor=actor, now=now, create_accounts=True)
        for (place, _), outcome in zip(fresh, outcomes, strict=True):
            counts[REJECTED if outcome.status == CONFLICT else outcome.status] += 1
            problems += _placed(outcome.problems, place, read.intake)
        for key in read.intake.removed:
            if known is None or key in known:
                counts[CORRECTED] += take_back(company_id=company_id, key=key, said_by=label, actor=actor, now=now)
        problems += _keep_statements(company_id, read.intake, origin=origin, actor=actor, now=now)
    return IntakeOutcome(counts[RECORDED], counts[DUPLICATE], counts[CORRECTED], counts[REJECTED], tuple(problems))


def _newest(company_id: int, read: ReadIntake) -> frozenset[ObjectKey] | None:
    """Objects about which this is the newest word; None when deliveries come in order anyway."""
    said_at = read.intake.said_at
    if said_at is None:
        return None
    keys = {_key(draft) for _, draft in read.drafts} | set(read.intake.removed)
    return newest_word(company_id=company_id, keys=keys, said_at=said_at)


def _key(draft: EventDraft) -> ObjectKey:
    return ObjectKey(draft.source, draft.external_ref)


def _placed(problems: Sequence[FieldProblem], place: int, intake: Intake) -> list[FieldProblem]:
    if len(intake.events) == 1:
        return list(problems)
    return [FieldProblem(f"[{place}].{problem.field}".rstrip("."), problem.message) for problem in problems]


def _keep_statements(
    company_id: int, intake: Intake, *, origin: str, actor: str, now: datetime
) -> list[FieldProblem]:
    problems = []
    for balance in intake.balances:
        try:
            _make_account(company_id, balance, now)
            state_balance(
                company_id=company_id,
                account=balance.account,
                currency=balance.currency,
                amount=balance.amount,
                day=balance.day,
                as_of=balance.as_of,
                origin=origin,
                actor=actor,
                now=now,
            )
        except InvalidStatement as error:
            problems.append(FieldProblem("balance", str(error)))
    try:
        state_service_periods(company_id=company_id, periods=intake.service_periods, actor=actor, now=now)
    except InvalidServicePeriod as error:
        problems.append(FieldProblem("service_period", str(error)))
    return problems


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
