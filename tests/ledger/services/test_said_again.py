"""What a provider took back and then says again stands again; what a person took back does not."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ledger.domain.company import CompanyRef
from ledger.domain.intake import Fate, Intake, ObjectKey
from ledger.models.event import CapitalEvent
from ledger.services.record_intake import IntakeOutcome, read_intake, record_intake
from ledger.services.reverse import reverse

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
KEY = ObjectKey("payroll", "p:net_pay")


def event(amount: str = "100.00") -> dict[str, Any]:
    return {
        "source": "payroll",
        "event_type": "expense",
        "amount": amount,
        "currency": "USD",
        "occurred_at": "2026-06-12T12:00:00-04:00",
        "external_ref": "p:net_pay",
    }


def say(company: CompanyRef, *events: dict[str, Any], removed: tuple[ObjectKey, ...] = ()) -> IntakeOutcome:
    read = read_intake(Intake(events=events, removed=removed), now=NOW)
    return record_intake(
        company_id=company.id, read=read, origin="payroll", label="Payroll", stable_ids=True, actor="w", now=NOW
    )


def net() -> Decimal:
    events = CapitalEvent.objects.all()
    return sum((e.amount if e.direction == "out" else -e.amount for e in events), Decimal(0))


def test_a_cancelled_payroll_that_is_run_as_before_counts_again(company: CompanyRef) -> None:
    for _ in range(2):
        say(company, event())
        assert net() == 100
        say(company, removed=(KEY,))
        assert net() == 0
    outcome = say(company, event())
    assert (outcome.counts(), net()) == ({Fate.CORRECTED: 1}, Decimal(100))
    assert say(company, event()).counts() == {Fate.DUPLICATE: 1}
    assert net() == 100


def test_what_a_person_took_back_stays_so_when_it_is_said_again(company: CompanyRef) -> None:
    say(company, event())
    event_id = bytes(CapitalEvent.objects.get().event_id).hex()
    reverse(company_id=company.id, event_id=event_id, reason="wrong", actor="cfo@example.com", now=NOW)

    assert say(company, event()).counts() == {Fate.DUPLICATE: 1}
    assert net() == 0
