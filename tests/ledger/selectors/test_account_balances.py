"""Balances at an instant, when it happened and when it was known."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.selectors.account_balances import (
    account_balances,
    cash_at,
    closing_account_balances,
    position_known_at,
)
from ledger.services.daily_flows import catch_up
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.statements import state_balance
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db


def spend(company: CompanyRef, at: str, amount: str, *, now: datetime = NOW, **changes: Any) -> str:
    draft = make_draft(external_ref=f"{at}{amount}{changes}", occurred_at=at, amount=amount, **changes)
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=now, create_accounts=True)
    assert outcome.status == "recorded"
    return outcome.event_id


def opening(company: CompanyRef, day: str, amount: str, account: str = "bank", *, now: datetime = NOW) -> None:
    state_balance(
        company_id=company.id,
        currency="USD",
        amount=Decimal(amount),
        day=date.fromisoformat(day),
        account=account,
        origin="opening",
        actor="t",
        now=now,
    )


def held(company: CompanyRef, at: str, known_at: datetime | None = None) -> dict[tuple[str, str], Decimal]:
    catch_up(company_id=company.id)
    balances = account_balances(company_id=company.id, at=datetime.fromisoformat(at), known_at=known_at)
    return {(each.account, each.currency): each.amount for each in balances}


def test_it_counts_from_the_opening_to_the_very_second(company: CompanyRef) -> None:
    opening(company, "2026-06-01", "100")
    spend(company, "2026-06-01T12:00:00Z", "50")
    spend(company, "2026-06-02T15:00:00Z", "10")
    spend(company, "2026-06-03T15:00:00Z", "5", event_type="income")
    # New York is four hours behind: the second of June begins at 04:00.
    assert held(company, "2026-06-02T14:59:59Z")["bank", "USD"] == 100
    assert held(company, "2026-06-02T15:00:00Z")["bank", "USD"] == 90
    assert held(company, "2026-06-09T00:00:00Z")["bank", "USD"] == 95
    # Before the opening the moves of its day are taken back.
    assert held(company, "2026-06-01T11:59:59Z")["bank", "USD"] == 150


def test_accounts_currencies_and_kinds_stand_beside_each_other(company: CompanyRef) -> None:
    spend(company, "2026-06-02T15:00:00Z", "10")
    spend(company, "2026-06-02T15:00:00Z", "7", currency="EUR")
    spend(company, "2026-06-02T15:00:00Z", "3", account="card-brex")
    spend(company, "2026-06-02T15:00:00Z", "20", account="stripe", event_type="income")
    spend(company, "2026-06-02T15:00:00Z", "99", account="cloud-aws")
    spend(company, "2026-06-02T15:00:00Z", "40", account="cloud-aws", event_type="credit")
    catch_up(company_id=company.id)
    balances = account_balances(company_id=company.id, at=NOW)
    assert [(each.account, each.currency, int(each.amount)) for each in balances] == [
        ("bank", "EUR", -7),
        ("bank", "USD", -10),
        ("card-brex", "USD", -3),
        ("cloud-aws", "USD", -99),
        ("stripe", "USD", 20),
    ]
    assert cash_at(balances) == {"EUR": -7, "USD": 7}


def test_what_was_known_leaves_out_what_was_recorded_later(company: CompanyRef) -> None:
    days = [NOW + timedelta(days=n) for n in range(4)]
    wrong = spend(company, "2026-06-02T15:00:00Z", "10", now=days[0])
    spend(company, "2026-06-01T15:00:00Z", "4", now=days[1])
    reverse(company_id=company.id, event_id=wrong, reason="typo", actor="t", now=days[2])
    opening(company, "2026-06-01", "1000", now=days[3])
    at = "2026-06-10T00:00:00Z"
    assert held(company, at, days[0] - timedelta(seconds=1)) == {}
    assert held(company, at, days[0]) == {("bank", "USD"): Decimal(-10)}
    assert held(company, at, days[1]) == {("bank", "USD"): Decimal(-14)}
    assert held(company, at, days[2]) == {("bank", "USD"): Decimal(-4)}
    assert held(company, at, days[3]) == {("bank", "USD"): Decimal(1000)}


def test_both_clocks_agree_with_a_plain_sum_over_the_journal(company: CompanyRef) -> None:
    random = Random(7)
    start = datetime.fromisoformat("2026-06-01T00:00:00Z")
    for n in range(60):
        at = start + timedelta(hours=random.randint(0, 300), minutes=random.randint(0, 59))
        spend(
            company,
            at.isoformat(),
            f"{n + 1}",
            now=NOW + timedelta(minutes=n),
            account=random.choice(["bank", "card"]),
            event_type=random.choice(["income", "expense"]),
        )
    for _ in range(25):
        at = start + timedelta(hours=random.randint(0, 300), seconds=random.randint(0, 3600))
        known = NOW + timedelta(minutes=random.randint(-1, 61))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT a.name, sum(CASE WHEN direction = 'in' THEN amount ELSE -amount END)"
                " FROM ledger_capitalevent e JOIN ledger_account a ON a.id = account_id"
                " WHERE occurred_at <= %s AND recorded_at <= %s GROUP BY 1",
                [at, known],
            )
            plain = dict(cursor.fetchall())
        found = {name: amount for (name, _), amount in held(company, at.isoformat(), known).items() if amount}
        assert found == {name: amount for name, amount in plain.items() if amount}


def test_a_position_is_a_beginning_that_later_events_never_change(company: CompanyRef) -> None:
    assert position_known_at(company_id=company.id, known_at=NOW) == 0
    for n in range(9):
        spend(company, "2026-06-02T15:00:00Z", f"{n + 1}", now=NOW + timedelta(minutes=n))
        known = [
            position_known_at(company_id=company.id, known_at=NOW + timedelta(minutes=m)) for m in range(n + 1)
        ]
        assert known == list(range(1, n + 2))


def test_a_day_ends_a_moment_before_the_next_one_begins(company: CompanyRef) -> None:
    opening(company, "2026-05-31", "100")
    spend(company, "2026-06-02T15:00:00Z", "10")
    # The third of June begins at 04:00 in New York.
    spend(company, "2026-06-03T03:59:59.999999Z", "1")
    spend(company, "2026-06-03T04:00:00Z", "5")
    for known_at in (None, NOW):
        catch_up(company_id=company.id)
        closing = closing_account_balances(company_id=company.id, day=date(2026, 6, 2), known_at=known_at)
        assert [each.amount for each in closing] == [89]
        last = account_balances(
            company_id=company.id, at=datetime.fromisoformat("2026-06-03T03:59:59.999999Z"), known_at=known_at
        )
        assert closing == last
