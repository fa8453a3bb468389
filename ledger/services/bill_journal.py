"""The events of one cloud bill in the journal: which stand there, and how they become what the bill says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from ledger.domain.cloud_bill import (
    CREDIT,
    BillChange,
    BillEvent,
    BillKey,
    BillRefused,
    StandingEvent,
    account_of_provider,
    bill_change,
    source_of_provider,
)
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.month import month_of
from ledger.domain.outcome import RECORDED, Outcome
from ledger.domain.problems import InvalidEvent
from ledger.models.account import Account, AccountKind
from ledger.selectors.books import read_books
from ledger.services.partitions import make_missing_months
from ledger.services.provenance import CameBy, keep_provenance
from ledger.services.record import record
from ledger.services.reverse import reverse_all

# The events of a bill that stand in the journal: the object's key begins with what is given here.
_STANDING = """
    SELECT encode(event_id, 'hex'), occurred_at, external_ref, event_type, direction, amount, currency
    FROM ledger_externalobject
    WHERE company_id = %s AND account_id = ANY (%s) AND source = %s AND external_ref LIKE %s AND NOT reversed
    ORDER BY external_ref
"""


@dataclass(frozen=True, slots=True)
class BillJournal:
    """Attributes:
    account: name of the account for the bill's events; None for the provider's own.
    """

    company_id: int
    account: str | None
    actor: str
    now: datetime
    key: BillKey
    currency: str
    came_by: CameBy | None = None

    def make_months(self, wanted: Iterable[BillEvent]) -> None:
        """Make the partitions that the events need; each in a transaction of its own."""
        zone = self._zone()
        make_missing_months({month_of(_noon(event.day, zone)) for event in wanted})

    def change(self, wanted: Iterable[BillEvent], *, version: int) -> BillChange:
        """Return what has to happen for the journal to say what the bill says."""
        return bill_change(
            key=self.key,
            version=version,
            currency=self.currency,
            wanted=wanted,
            standing=self._standing(),
        )

    def apply(self, change: BillChange) -> None:
        """Reverse and record, in the transaction of the caller.

        Raises:
            BillRefused: the journal does not take one of the events.
        """
        taken_back = reverse_all(
            company_id=self.company_id,
            events=[(event.event_id, event.occurred_at) for event in change.take_back],
            reason=f"the bill {self.key} was issued again"[:255],
            actor=self.actor,
            now=self.now,
        )
        for event, outcome in zip(change.take_back, taken_back, strict=True):
            _insist(outcome, event.reference)
        zone = self._zone()
        drafts = [self._draft(reference, event, zone) for reference, event in change.record.items()]
        outcomes = record(
            company_id=self.company_id, drafts=drafts, actor=self.actor, now=self.now, create_accounts=True
        )
        for draft, outcome in zip(drafts, outcomes, strict=True):
            _insist(outcome, draft.external_ref)
        if self.came_by is not None:
            positions = [outcome.position for outcome in (*taken_back, *outcomes) if outcome.position is not None]
            keep_provenance(company_id=self.company_id, positions=positions, came_by=self.came_by)

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

    def _draft(self, reference: str, event: BillEvent, zone: ZoneInfo) -> EventDraft:
        raw: dict[str, Any] = {
            "source": source_of_provider(self.key.provider),
            "event_type": event.event_type,
            "amount": f"{event.amount:f}",
            "currency": self.currency,
            "occurred_at": _noon(event.day, zone).isoformat(),
            "account": self.account or account_of_provider(self.key.provider),
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
