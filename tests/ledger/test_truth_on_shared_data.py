"""Accounts, reconciliation and matching on the shared companies and a real ledger with running balances."""

import csv
import gzip
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.importers.csv_mapping import CsvChoices
from ledger.models.matching import TransferLeg, TransferMatch
from ledger.models.review import ReviewItem
from ledger.models.statement import BalanceStatement
from ledger.selectors.account_balances import account_balances
from ledger.selectors.account_books import account_books
from ledger.services.daily_flows import catch_up
from ledger.services.import_events import import_events
from ledger.services.import_report import ImportReport
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


def test_two_exports_of_one_day_and_a_payment_after_them_break_nothing(db: None, shared_data: Path) -> None:
    """A real OFX export of 25 May 2013, 22:57, and what its bank might have said that noon and a day later."""
    company = open_company(timezone="America/New_York")
    late = (shared_data / "ofx" / "ofxparse" / "checking.ofx").read_bytes()
    assert b"<BALAMT>100.99" in late
    noon = late.replace(b"<BALAMT>100.99", b"<BALAMT>90.99").replace(b"20130525225731.258", b"20130525120000")
    next_day = late.replace(b"<BALAMT>100.99", b"<BALAMT>80.99").replace(b"20130525225731.258", b"20130526120000")
    booked = {"source": "api", "event_type": "expense", "currency": "USD"}
    reports = [import_ofx(company, late), import_ofx(company, noon)]
    account = BalanceStatement.objects.get().account
    assert account is not None
    for ref, amount, at in (("a", "20", "2013-05-26T10:00:00-04:00"), ("b", "5", "2013-05-26T20:00:00-04:00")):
        load(
            company,
            [{**booked, "account": account.name, "amount": amount, "occurred_at": at, "external_ref": ref}],
        )
    reports.append(import_ofx(company, next_day))
    assert [(report.balances_new, report.balances_off) for report in reports] == [(1, 0), (0, 0), (1, 0)]
    now = datetime(2013, 5, 27, 20, tzinfo=UTC)
    books = account_books(company_id=company.id, timezone=company.timezone, now=now)
    held = next(book for book in books if book.account_id == account.pk).reconciliation
    assert held is not None
    assert [(each.stated, each.ledger, each.breaks) for each in held.comparisons] == [
        (Decimal("80.99"), Decimal("80.99"), False)
    ]


def import_ofx(company: CompanyRef, content: bytes) -> ImportReport:
    return import_events(
        company=company, stream=BytesIO(content), actor="t", now=NOW, format_name="ofx", account=None,
        choices=CsvChoices(),
    )  # fmt: skip
