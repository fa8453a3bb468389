"""What an imported cloud bill is to a forecast: usage that is paid once, and credits that are drawn once."""

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from forecasting.fit.cloud import FittedCloud, fit_clouds
from forecasting.fit.read_rows import read_cash_rows
from forecasting.services.history import gather_history
from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.domain.recognition import months_later
from ledger.selectors.companies import company_ref
from ledger.services.companies import create_company
from ledger.services.import_events import import_events
from ledger.services.record import record
from ledger.services.statements import state_credit_grant

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
AS_OF = date(2026, 6, 20)
HEADER = (
    "ProviderName,BillingAccountId,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargeCategory,ServiceName,"
    "BilledCost,BillingCurrency\n"
)
FIRST = date(2025, 9, 1)


def company_of(slug: str) -> CompanyRef:
    create_company(slug=slug, name=slug, currency="USD", timezone="America/Los_Angeles", now=NOW)
    company = company_ref(slug=slug)
    state_credit_grant(
        company_id=company.id,
        provider="AWS",
        remaining=Decimal(20_000),
        expires_on=date(2026, 12, 31),
        day=date(2025, 8, 31),
        origin="plan",
        actor="t",
        now=NOW,
    )
    return company


def months() -> Iterator[tuple[date, date, Decimal]]:
    """(first day, first day of the next month, cost): growing a little, the last one still open."""
    for number in range(9):
        yield months_later(FIRST, number), months_later(FIRST, number + 1), Decimal(3000 + 100 * number)


def invoice(company: CompanyRef, month: date, amount: Decimal, event_type: str, account: str) -> None:
    """A payment or an applied credit on the third of the month after."""
    raw = {
        "source": "bank-feed",
        "event_type": event_type,
        "amount": f"{amount:f}",
        "currency": "USD",
        "occurred_at": datetime.combine(month.replace(day=3), time(18), UTC).isoformat(),
        "account": account,
        "category": "cloud" if event_type == "expense" else "cloud_credit",
        "counterparty": "AWS",
        "external_ref": f"{event_type}-{month}",
    }
    (outcome,) = record(
        company_id=company.id, drafts=[parse_event(raw, now=NOW)], actor="t", now=NOW, create_accounts=True
    )
    assert outcome.status == "recorded"


def bill(month: date, following: date, cost: Decimal) -> str:
    """Two services every day, and credits on ten days that pay for half."""
    lines = [HEADER]
    period = f"AWS,1,{month},{following}"
    days = (following - month).days
    for day in range(days):
        on = month.replace(day=day + 1)
        lines += [f"{period},{on},Usage,{service},{cost / days / 2},USD\n" for service in ("EC2", "S3")]
    lines += [f"{period},{month.replace(day=day)},Credit,EC2,{-cost / 20},USD\n" for day in range(2, 22, 2)]
    return "".join(lines)


def fitted(company: CompanyRef) -> tuple[FittedCloud, Decimal]:
    history = gather_history(company=company, now=NOW, as_of=AS_OF).history
    clouds, _ = fit_clouds(read_cash_rows(history), history)
    (cloud,) = clouds
    assert history.grants is not None
    return cloud, sum((grant.remaining for grant in history.grants), Decimal(0))


def test_a_company_that_imports_its_bills_is_forecast_as_one_that_books_them_by_hand() -> None:
    by_hand, by_file = company_of("by-hand"), company_of("by-file")
    for month, following, cost in months():
        invoice(by_hand, following, cost / 2, "credit", "cloud-aws")
        for company in (by_hand, by_file):
            invoice(company, following, cost / 2, "expense", "bank")
        content = bill(month, following, cost)
        import_events(company=by_file, stream=io.BytesIO(content.encode()), actor="t", now=NOW)
    hand, hand_left = fitted(by_hand)
    imported, file_left = fitted(by_file)
    assert imported.usage_per_day == pytest.approx(hand.usage_per_day, rel=1e-6)
    # 3,800 dollars a month, whatever the bills' hundreds of usage events say.
    assert 110 < imported.usage_per_day < 140
    assert imported.g == pytest.approx(hand.g, abs=1e-6)
    assert file_left == pytest.approx(hand_left, abs=Decimal("0.001"))


def test_the_open_month_of_a_bill_draws_its_credits_already() -> None:
    company = company_of("by-file")
    for month, following, cost in months():
        invoice(company, following, cost / 2, "expense", "bank")
        import_events(
            company=company, stream=io.BytesIO(bill(month, following, cost).encode()), actor="t", now=NOW
        )
    _, before = fitted(company)
    june = bill(date(2026, 6, 1), date(2026, 7, 1), Decimal(4000))
    import_events(company=company, stream=io.BytesIO(june.encode()), actor="t", now=NOW)
    cloud, after = fitted(company)
    # Ten credits of a twentieth up to the 20th, the as-of day; the bill itself closes in July.
    assert before - after == 2000
    assert 110 < cloud.usage_per_day < 140
