"""Accounts, reconciliation and matching on the shared companies and a real ledger with running balances."""

import csv
import gzip
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.models.matching import TransferLeg, TransferMatch
from ledger.models.review import ReviewItem
from ledger.selectors.account_balances import account_balances
from ledger.selectors.account_books import account_books
from ledger.services.daily_flows import catch_up
from ledger.services.match import follow_journal
from ledger.services.record import record
from ledger.services.statements import state_balance
from tests.ledger.conftest import NOW, open_company

pytestmark = pytest.mark.django_db
ROWS_PER_CALL = 2000


def load(company: CompanyRef, raws: list[dict]) -> None:
    for start in range(0, len(raws), ROWS_PER_CALL):
        drafts = [parse_event(raw, now=NOW) for raw in raws[start : start + ROWS_PER_CALL]]
        outcomes = record(company_id=company.id, drafts=drafts, actor="t", now=NOW, create_accounts=True)
        assert {outcome.status for outcome in outcomes} == {"recorded"}
    catch_up(company_id=company.id)


def prettier(shared_data: Path) -> list[dict]:
    """The events of a real collective, in the order of its running balance."""
    with (shared_data / "opencollective" / "prettier.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_real_running_balance_is_met_on_every_day_and_a_lost_row_is_found(db: None, shared_data: Path) -> None:
    rows = [row for row in prettier(shared_data) if row["currency"] == "USD" and int(row["amount_minor"])]
    company = open_company(timezone="UTC")
    closing: dict[date, Decimal] = {}
    for row in rows:
        closing[datetime.fromisoformat(row["occurred_at"]).date()] = Decimal(row["running_balance_minor"]) / 100
    days = sorted(closing)
    lost_on = days[len(days) // 2]
    lost = next(row for row in rows if row["occurred_at"].startswith(lost_on.isoformat()))
    load(company, [event_of(row) for row in rows if row is not lost])
    for day in [*days[::7], days[-1], lost_on, lost_on - timedelta(days=1)]:
        known = max((each for each in days if each <= day), default=None)
        if known is not None:
            state(company, "bank", "USD", closing[known], day)
    last = datetime(days[-1].year, days[-1].month, days[-1].day, 20, tzinfo=UTC)
    (book,) = account_books(company_id=company.id, timezone="UTC", now=last)
    assert book.reconciliation is not None
    broken = book.reconciliation.first_break
    assert broken is not None
    assert broken.day == lost_on
    assert broken.step == Decimal(lost["amount_minor"]) / 100
    assert sum(each.breaks for each in book.reconciliation.comparisons) == 1
    load(company, [event_of(lost)])
    (book,) = account_books(company_id=company.id, timezone="UTC", now=last)
    assert book.reconciliation is not None
    assert book.reconciliation.first_break is None
    assert book.reconciliation.reconciled_to == days[-1]


def event_of(row: dict) -> dict:
    amount = int(row["amount_minor"])
    return {
        "source": "opencollective",
        "event_type": "income" if amount > 0 else "expense",
        "amount": f"{Decimal(abs(amount)) / 100:f}",
        "currency": "USD",
        "occurred_at": f"{row['occurred_at']}Z",
        "account": "bank",
        "external_ref": row["external_id"],
    }


def state(company: CompanyRef, account: str, currency: str, amount: Decimal, day: date) -> None:
    state_balance(
        company_id=company.id,
        currency=currency,
        amount=amount,
        day=day,
        origin="statement",
        actor="t",
        now=NOW,
        account=account,
    )


@pytest.mark.parametrize("name", ["intl-31000"])
def test_every_conversion_of_an_international_company_finds_its_other_side(
    db: None, shared_data: Path, name: str
) -> None:
    folder = shared_data / "companies" / name
    plan = json.loads((folder / "plan.json").read_text())
    zone = "America/New_York"
    with gzip.open(folder / "events.ndjson.gz", "rt", encoding="utf-8") as file:
        raws = [json.loads(line) for line in file]
    company = open_company(currency=plan["base_currency"], timezone=zone)
    load(company, raws)
    follow_journal(company_id=company.id, now=datetime.fromisoformat(f"{plan['as_of']}T23:00:00Z"))
    legs = Counter(TransferLeg.objects.filter(event_type="transfer").values_list("direction", flat=True))
    assert legs["out"] == legs["in"] > 10
    assert TransferMatch.objects.filter(ended_at=None).count() == legs["out"]
    assert not ReviewItem.objects.filter(state="open", kind="leg").exists()
    # The journal's own sums, by account, against a sum made from the file.
    plain: Counter = Counter()
    for raw in raws:
        sign = {"income": 1, "expense": -1, "credit": 0}.get(raw["event_type"])
        if sign is None:
            sign = 1 if raw["metadata"]["direction"] == "in" else -1
        plain[raw["account"], raw["currency"]] += sign * Decimal(raw["amount"])
    at = datetime.fromisoformat(f"{plan['as_of']}T23:59:59").replace(tzinfo=ZoneInfo(zone))
    found = {(each.account, each.currency): each.amount for each in account_balances(company_id=company.id, at=at)}
    assert {key: amount for key, amount in found.items() if amount} == {
        key: amount for key, amount in plain.items() if amount
    }
