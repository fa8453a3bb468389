"""Addresses of events in the admin: by company and position, which are indexed and readable; the key is bytes."""

from django.urls import reverse

from ledger.domain.outcome import Outcome
from ledger.selectors.journal import find_event


def event_address(page: str, *, company_id: int, position: int) -> str:
    """Address of a page (`change`, `reverse`) of an event."""
    return reverse(f"admin:ledger_capitalevent_{page}", args=(f"{company_id}-{position}",))


def outcome_address(*, company_id: int, outcome: Outcome) -> str:
    """Address of the event that an outcome names: the one just recorded, or the one that was there."""
    position = outcome.position
    if position is None:
        entry = find_event(company_id=company_id, event_id=outcome.event_id, occurred_at=outcome.occurred_at)
        if entry is None:
            return reverse("admin:ledger_capitalevent_changelist")
        position = entry.position
    return event_address("change", company_id=company_id, position=position)
