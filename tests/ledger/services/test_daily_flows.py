"""The read side: summed once, in the company's days, with reversals taken out."""

from datetime import date, datetime

import pytest
from django.db import connection

from ledger.domain.company import CompanyNotFound, CompanyRef
from ledger.domain.flow_sums import daily_flows_from_events
from ledger.domain.flows import EVENT_TYPES, DailyFlows, day_number
from ledger.models.company import Company
from ledger.models.daily_flow import DailyFlow
from ledger.selectors.flows import daily_flows
from ledger.selectors.journal import last_event_day
from ledger.services import daily_flows as service
from ledger.services.daily_flows import catch_up
from ledger.services.record import record
from ledger.services.reverse import reverse
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db

UNTIL = date(2026, 12, 31)
CONTRACT = {"contract": "annual", "term_months": 12, "deferred": True, "renewal": False}


def write(company: CompanyRef, *drafts: object, now: datetime = NOW) -> list[str]:
    outcomes = record(company_id=company.id, drafts=drafts, actor="t", now=now, create_accounts=True)  # type: ignore[arg-type]
    assert {outcome.status for outcome in outcomes} == {"recorded"}
    return [outcome.event_id for outcome in outcomes]


def test_it_sums_what_is_new_and_nothing_twice(company: CompanyRef) -> None:
    write(company, make_draft(external_ref="1"), make_draft(external_ref="2"))
    assert catch_up(company_id=company.id) == 2
    assert catch_up(company_id=company.id) == 2
    write(company, make_draft(external_ref="3"))
    assert catch_up(company_id=company.id) == 3
    flows = daily_flows(company_id=company.id, until=UNTIL)
    assert (flows.amount.tolist(), flows.count.tolist()) == ([-13.5], [3])


def test_steps_of_any_size_give_the_same_sums(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> None:
    write(company, *(make_draft(external_ref=f"{n}", amount=f"{n + 1}") for n in range(25)))
    monkeypatch.setattr(service, "POSITIONS_PER_STEP", 4)
    assert catch_up(company_id=company.id) == 25
    assert daily_flows(company_id=company.id, until=UNTIL).amount.tolist() == [-325.0]


def test_a_day_is_a_day_of_the_company(company: CompanyRef) -> None:
    write(
        company,
        make_draft(external_ref="1", occurred_at="2026-06-02T03:59:59Z"),
        make_draft(external_ref="2", occurred_at="2026-06-02T04:00:00Z"),
    )
    catch_up(company_id=company.id)
    flows = daily_flows(company_id=company.id, until=UNTIL)
    assert flows.day.tolist() == [day_number(date(2026, 6, 1)), day_number(date(2026, 6, 2))]


def test_another_time_zone_cuts_the_days_anew(company: CompanyRef) -> None:
    write(company, make_draft(occurred_at="2026-06-02T03:00:00Z"))
    catch_up(company_id=company.id)
    Company.objects.filter(id=company.id).update(timezone="UTC")
    assert catch_up(company_id=company.id) == 1
    flows = daily_flows(company_id=company.id, until=UNTIL)
    assert (flows.day.tolist(), flows.count.tolist()) == ([day_number(date(2026, 6, 2))], [1])


def test_a_reversed_event_leaves_no_row(company: CompanyRef) -> None:
    wrong, _ = write(company, make_draft(external_ref="1"), make_draft(external_ref="2", event_type="income"))
    for before in (False, True):
        if before:
            catch_up(company_id=company.id)
        reverse(company_id=company.id, event_id=wrong, reason="typo", actor="t", now=NOW)
        catch_up(company_id=company.id)
        flows = daily_flows(company_id=company.id, until=UNTIL)
        assert [EVENT_TYPES[code] for code in flows.event_type] == ["income"]
    assert DailyFlow.objects.filter(event_type="expense", amount=0, count=0).count() == 1


def test_rows_end_with_the_day_asked_for(company: CompanyRef) -> None:
    write(company, make_draft(external_ref="1"), make_draft(external_ref="2", occurred_at="2026-06-03T14:00:00Z"))
    catch_up(company_id=company.id)
    assert len(daily_flows(company_id=company.id, until=date(2026, 6, 2)).day) == 1
    assert len(daily_flows(company_id=company.id, until=date(2026, 5, 31)).day) == 0
    assert last_event_day(company_id=company.id) == date(2026, 6, 3)
    assert last_event_day(company_id=company.id, today=date(2026, 6, 2)) == date(2026, 6, 1)
    assert last_event_day(company_id=company.id, today=date(2026, 5, 2)) is None


def test_contracts_are_picked_out_and_reversed_ones_dropped(company: CompanyRef) -> None:
    income = {"event_type": "income", "amount": "12000", "counterparty": "Globex"}
    kept, dropped, *_ = write(
        company,
        make_draft(**income, external_ref="1", metadata=CONTRACT),
        make_draft(**income, external_ref="2", metadata=CONTRACT),
        make_draft(**income, external_ref="3", metadata={**CONTRACT, "term_months": "12"}),
        make_draft(**income, external_ref="4", metadata={**CONTRACT, "term_months": -1}),
        make_draft(**income, external_ref="5", metadata={"contract": "annual"}),
        make_draft(**income, external_ref="6", metadata="contract"),
        make_draft(external_ref="7", metadata=CONTRACT),
    )
    reverse(company_id=company.id, event_id=dropped, reason="typo", actor="t", now=NOW)
    catch_up(company_id=company.id)
    (receipt,) = daily_flows(company_id=company.id, until=UNTIL).contracts
    assert (receipt.customer, receipt.term_months, receipt.deferred, receipt.day) == (
        "Globex", 12, True, date(2026, 6, 1)
    )  # fmt: skip
    assert kept


def test_it_agrees_with_the_sums_made_in_memory(company: CompanyRef) -> None:
    drafts = [
        make_draft(
            external_ref=f"{n}",
            amount=f"{n * 7 % 101 + 1}.{n % 100:02d}",
            event_type=EVENT_TYPES[n % 5],
            direction="out" if EVENT_TYPES[n % 5] in {"adjustment", "transfer"} else None,
            currency=("USD", "EUR")[n % 2],
            account=("bank", "card", "stripe", "cloud-aws")[n % 4],
            category=("rent", "saas", "")[n % 3],
            occurred_at=f"2026-05-{n % 28 + 1:02d}T{n % 24:02d}:30:00Z",
            metadata=CONTRACT if n % 5 == 1 else None,
        )
        for n in range(200)
    ]
    write(company, *drafts)
    catch_up(company_id=company.id)
    stored = daily_flows(company_id=company.id, until=UNTIL)
    in_memory = daily_flows_from_events(drafts, company.timezone)

    def listed(flows: DailyFlows) -> list[tuple]:
        return sorted(
            (
                int(day),
                int(flows.event_type[row]),
                flows.currencies[flows.currency[row]],
                flows.categories[flows.category[row]],
                round(float(flows.amount[row]), 6),
                int(flows.count[row]),
            )
            for row, day in enumerate(flows.day)
        )

    assert listed(stored) == listed(in_memory)

    def receipts(flows: DailyFlows) -> list[tuple]:
        return sorted((receipt.day, receipt.currency, receipt.amount) for receipt in flows.contracts)

    assert receipts(stored) == receipts(in_memory)


def test_nothing_recorded_gives_empty_arrays(company: CompanyRef) -> None:
    assert catch_up(company_id=company.id) == 0
    assert len(daily_flows(company_id=company.id, until=UNTIL).day) == 0


def test_it_refuses_an_unknown_company(db: None) -> None:
    with pytest.raises(CompanyNotFound):
        catch_up(company_id=987_654)


def test_a_million_rows_hold_no_transaction_for_minutes() -> None:
    assert service.POSITIONS_PER_STEP <= 100_000
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'ledger_capitalevent_position'")
        assert cursor.fetchone() == (1,)
