"""What a forecast is told: one moment of the ledger, and the right rates."""

import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from forecasting.fit.history import MissingInputs
from forecasting.services import history
from forecasting.services.history import gather_history
from forecasting.services.plans import record_plan
from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.services.companies import create_company
from ledger.services.record import record
from tests.forecasting.small_company import AS_OF, NOW, PLAN, small_company, spend


def receive_euros(company: CompanyRef) -> None:
    raw = {
        "source": "bank",
        "event_type": "income",
        "amount": "100.00",
        "currency": "EUR",
        "occurred_at": "2026-03-20T12:00:00Z",
    }
    (outcome,) = record(company_id=company.id, drafts=[parse_event(raw, now=NOW)], actor="test", now=NOW)
    assert outcome.status == "recorded"


def test_an_event_recorded_between_two_reads_is_in_none_of_them(
    committed_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = small_company()
    before = gather_history(company=company, now=NOW)
    real = history.last_event_day
    late: list[int] = []

    def meanwhile() -> None:
        late.append(spend(company, "55555.00", on=AS_OF))
        connection.close()

    def interrupted(**kwargs: Any) -> Any:
        other = threading.Thread(target=meanwhile)
        other.start()
        other.join()
        return real(**kwargs)

    monkeypatch.setattr(history, "last_event_day", interrupted)
    during = gather_history(company=company, now=NOW)
    assert late == [before.position + 1]
    assert during.position == before.position
    assert during.digest == before.digest
    monkeypatch.setattr(history, "last_event_day", real)
    after = gather_history(company=company, now=NOW)
    assert after.position == late[0]
    assert after.digest != before.digest


@pytest.mark.django_db
def test_the_company_s_calendar_decides_what_today_is() -> None:
    company = create_company(slug="night", name="Night", currency="USD", timezone="America/New_York", now=NOW)
    spend(company, "10.00", on=date(2026, 4, 1))
    just_before_midnight = datetime(2026, 4, 1, 3, 59, tzinfo=UTC)  # 31 March, 23:59 in New York
    with pytest.raises(MissingInputs):
        gather_history(company=company, now=just_before_midnight)
    just_after = datetime(2026, 4, 1, 4, 1, tzinfo=UTC)
    assert gather_history(company=company, now=just_after).history.as_of == date(2026, 4, 1)


@pytest.mark.django_db
def test_a_recent_plan_s_rate_counts() -> None:
    company = small_company(plan=PLAN | {"fx": {"EUR": "1.5"}})
    receive_euros(company)
    assert gather_history(company=company, now=NOW).history.rates == {"EUR": Decimal("1.5")}


@pytest.mark.django_db
def test_an_old_plan_s_rate_gives_way_to_the_published_one() -> None:
    company = small_company(plan=PLAN | {"fx": {"EUR": "1.5"}, "as_of": "2026-01-15"})
    receive_euros(company)
    rate = gather_history(company=company, now=NOW).history.rates["EUR"]
    assert Decimal("0.9") < rate < Decimal("1.4")


@pytest.mark.django_db
def test_an_old_plan_s_rate_is_better_than_none() -> None:
    hire = {"start": "2026-05-01", "monthly_gross": "100.00", "currency": "AED", "confirmed": True}
    plan = PLAN | {"fx": {"AED": "0.27"}, "as_of": "2026-01-15", "planned_hires": [hire]}
    company = small_company(plan=plan)
    assert gather_history(company=company, now=NOW).history.rates == {"AED": Decimal("0.27")}


@pytest.mark.django_db
def test_a_currency_without_any_rate_is_named() -> None:
    hire = {"start": "2026-05-01", "monthly_gross": "100.00", "currency": "AED", "confirmed": True}
    company = small_company(plan=PLAN | {"planned_hires": [hire]})
    with pytest.raises(MissingInputs, match="AED"):
        gather_history(company=company, now=NOW)


@pytest.mark.django_db
def test_the_digest_sees_every_change_of_what_the_engine_is_given() -> None:
    company = small_company()
    digests = [gather_history(company=company, now=NOW).digest]
    spend(company, "1.00")
    digests.append(gather_history(company=company, now=NOW).digest)
    record_plan(company_id=company.id, raw=PLAN | {"fx": {"EUR": "1.1"}}, actor="test", now=NOW)
    digests.append(gather_history(company=company, now=NOW).digest)
    receive_euros(company)
    digests.append(gather_history(company=company, now=NOW).digest)
    assert len(set(digests)) == 4
    assert gather_history(company=company, now=NOW).digest == digests[-1]
