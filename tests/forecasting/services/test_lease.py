"""One worker at a time computes a company, and a dead one does not block it for long."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection

from forecasting.models.cursor import ForecastCursor
from forecasting.services.lease import LeaseBusy, claim_lease, release_lease
from ledger.domain.company import CompanyRef
from ledger.services.companies import create_company

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def new_company() -> CompanyRef:
    return create_company(slug="acme", name="Acme", currency="USD", timezone="America/New_York", now=NOW)


@pytest.mark.django_db
def test_a_held_lease_refuses_everybody_else() -> None:
    company = new_company()
    claim_lease(company_id=company.id, owner="one")
    with pytest.raises(LeaseBusy):
        claim_lease(company_id=company.id, owner="other")


@pytest.mark.django_db
def test_a_released_lease_can_be_claimed() -> None:
    company = new_company()
    claim_lease(company_id=company.id, owner="one")
    release_lease(company_id=company.id, owner="one")
    claim_lease(company_id=company.id, owner="other")


@pytest.mark.django_db
def test_a_lease_that_ran_out_can_be_claimed() -> None:
    company = new_company()
    claim_lease(company_id=company.id, owner="dead", lease_seconds=-1.0)
    claim_lease(company_id=company.id, owner="other")


@pytest.mark.django_db
def test_who_lost_the_lease_cannot_release_it_for_the_new_owner() -> None:
    company = new_company()
    claim_lease(company_id=company.id, owner="slow", lease_seconds=-1.0)
    claim_lease(company_id=company.id, owner="new")
    release_lease(company_id=company.id, owner="slow")
    assert ForecastCursor.objects.get(company_id=company.id).lease_owner == "new"


def test_of_many_workers_at_once_exactly_one_wins(committed_db: str) -> None:
    won: list[str] = []
    company = new_company()
    ready = threading.Barrier(8)

    def race(owner: str) -> None:
        try:
            ready.wait()
            claim_lease(company_id=company.id, owner=owner)
            won.append(owner)
        except LeaseBusy:
            pass
        finally:
            connection.close()

    racers = [threading.Thread(target=race, args=(f"worker-{number}",)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [ForecastCursor.objects.get(company_id=company.id).lease_owner] == won
