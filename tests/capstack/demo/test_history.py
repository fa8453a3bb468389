"""The demo company's past: invented once and for all, and the story that it tells."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

import pytest

from capstack.demo.history import DemoHistory, generate_history
from capstack.demo.story import CASH_AT_END, TIMEZONE, Story
from capstack.demo.transfers import local_day, signed
from capstack.demo.workdays import is_workday
from forecasting.engine import forecast
from forecasting.fit.history import CompanyHistory
from forecasting.fit.plan import parse_plan
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.flow_sums import daily_flows_from_events
from ledger.domain.identity import utc_text

TODAY = date(2026, 7, 18)
STORY = Story(TODAY)


def flat_rates(currency: str, day: date) -> Decimal:
    return {"EUR": Decimal("1.11"), "GBP": Decimal("1.31")}[currency]


def history_on(today: date, *, months: int = 18) -> DemoHistory:
    return generate_history(story=Story(today), rates=flat_rates, months=months)


@pytest.fixture(scope="module")
def history() -> DemoHistory:
    return history_on(TODAY)


def of(history: DemoHistory, category: str) -> list[EventDraft]:
    return [draft for draft in history.drafts if draft.category == category]


def test_the_same_day_gives_the_same_events(history: DemoHistory) -> None:
    assert history_on(TODAY) == history


def test_events_fill_18_months_and_end_the_day_before(history: DemoHistory) -> None:
    days = [local_day(draft) for draft in history.drafts]
    assert min(days) <= TODAY - timedelta(days=546)
    assert max(days) == TODAY - timedelta(days=1)
    assert 4000 < len(days) < 6000


def test_every_event_is_one_that_the_api_would_take(history: DemoHistory) -> None:
    for draft in history.drafts:
        assert draft.occurred_at is not None
        raw = {
            "source": draft.source,
            "event_type": draft.event_type,
            "amount": str(draft.amount),
            "currency": draft.currency,
            "occurred_at": utc_text(draft.occurred_at),
            "account": draft.account,
            "category": draft.category,
            "counterparty": draft.counterparty,
            "external_ref": draft.external_ref,
            "metadata": draft.metadata,
        } | ({"direction": draft.direction} if draft.direction else {})
        assert parse_event(raw, now=draft.occurred_at) == draft


def test_no_two_events_share_an_object_at_their_source(history: DemoHistory) -> None:
    objects = Counter((d.source, d.event_type, d.direction, d.account, d.external_ref) for d in history.drafts)
    assert max(objects.values()) == 1


def test_it_has_several_sources_accounts_and_currencies(history: DemoHistory) -> None:
    assert {draft.source for draft in history.drafts} == {"aws", "bank", "card", "deel", "gusto", "stripe"}
    assert {draft.currency for draft in history.drafts} == {"USD", "EUR", "GBP"}
    assert {draft.account for draft in history.drafts} == {
        "bank", "bank-eur", "bank-gbp", "card", "cloud-aws", "stripe",
    }  # fmt: skip


def test_the_stated_balances_follow_from_the_events(history: DemoHistory) -> None:
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for draft in history.drafts:
        moved[draft.currency] += signed(draft)
    for currency, cash in CASH_AT_END.items():
        opening = Decimal(history.plan["history_opening_balance"][currency])
        assert opening + moved[currency] == cash == Decimal(history.plan["opening_balance"][currency])
        assert opening > 0


def test_no_account_of_the_company_is_overdrawn_along_the_way(history: DemoHistory) -> None:
    cash = {currency: Decimal(amount) for currency, amount in history.plan["history_opening_balance"].items()}
    by_day: dict[date, list[EventDraft]] = defaultdict(list)
    for draft in history.drafts:
        by_day[local_day(draft)].append(draft)
    for day in sorted(by_day):
        for draft in by_day[day]:
            cash[draft.currency] += signed(draft)
        assert min(cash.values()) > 0, day


def test_what_the_accounts_state_adds_up_to_the_plan(history: DemoHistory) -> None:
    total: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for balance in history.balances:
        total[balance.currency, balance.day] += balance.amount
    first = date.fromisoformat(history.plan["history_start"]) - timedelta(days=1)
    for key, day in (("history_opening_balance", first), ("opening_balance", STORY.as_of)):
        assert {currency: str(total[currency, day]) for currency in CASH_AT_END} == history.plan[key]


@pytest.mark.parametrize("months", [3, 18])
def test_every_account_moves_from_its_first_stated_balance_to_its_last(months: int) -> None:
    history = history_on(TODAY, months=months)
    first: dict[str, Decimal] = {}
    last: dict[str, Decimal] = {}
    for balance in history.balances:
        (last if balance.day == STORY.as_of else first)[balance.account] = balance.amount
    assert set(first) == {"bank", "bank-eur", "bank-gbp", "card", "stripe"}
    for account, opening in first.items():
        moves = [signed(draft) for draft in history.drafts if draft.account == account]
        assert opening + sum(moves) == last[account]
    assert all(first[account] >= 0 for account in ("bank", "bank-eur", "bank-gbp", "stripe"))


def test_transfers_have_two_legs_that_cancel_out_within_a_currency(history: DemoHistory) -> None:
    for category in ("payout", "card_settlement"):
        legs = of(history, category)
        assert legs
        assert sum((signed(leg) for leg in legs), Decimal(0)) == 0
    exchanged = of(history, "fx_transfer")
    assert {leg.flow for leg in exchanged if leg.currency == "USD"} == {"out"}
    assert {leg.flow for leg in exchanged if leg.currency != "USD"} == {"in"}


def test_payroll_runs_twice_a_month_and_its_tax_leaves_3_to_7_days_later(history: DemoHistory) -> None:
    runs = [draft for draft in of(history, "payroll") if draft.source == "gusto"]
    taxes = {
        draft.external_ref: local_day(draft) for draft in of(history, "payroll_tax") if draft.source == "gusto"
    }
    assert len(runs) in {35, 36, 37}
    for run in runs:
        assert is_workday(local_day(run))
        remitted = taxes.get(run.external_ref.replace("payroll-", "payroll-tax-"))
        if remitted is not None:
            assert 3 <= (remitted - local_day(run)).days <= 8  # a long weekend adds a day
    assert len(taxes) >= len(runs) - 2


def test_one_international_batch_pays_people_in_two_currencies_at_once(history: DemoHistory) -> None:
    batches: dict[str, list[EventDraft]] = defaultdict(list)
    for draft in history.drafts:
        if draft.source == "deel":
            assert isinstance(draft.metadata, dict)
            batches[str(draft.metadata["batch"])].append(draft)
    assert 17 <= len(batches) <= 19
    for lines in batches.values():
        assert {line.currency for line in lines} == {"EUR", "GBP"}
        assert len({local_day(line) for line in lines}) == 1


def test_the_first_tranche_came_18_days_late(history: DemoHistory) -> None:
    (tranche,) = of(history, "funding")
    assert isinstance(tranche.metadata, dict)
    planned = date.fromisoformat(tranche.metadata["planned"])
    assert (local_day(tranche) - planned).days == 18


def test_the_second_tranche_is_neither_certain_nor_punctual(history: DemoHistory) -> None:
    (tranche,) = history.plan["tranches"]
    assert 0 < tranche["probability"] < 1
    assert tranche["delay"]["mean_days"] == 18.0
    assert date.fromisoformat(tranche["date"]) > TODAY


def test_the_credit_pays_the_cloud_and_expires_soon_with_a_part_unused(history: DemoHistory) -> None:
    (credit,) = history.plan["cloud_credits"]
    expires = date.fromisoformat(credit["expires"])
    assert 30 < (expires - TODAY).days < 60
    paid, drawn = of(history, "cloud"), of(history, "cloud_credit")
    assert len(paid) + len(drawn) == 18
    assert max(local_day(bill) for bill in paid) < min(local_day(bill) for bill in drawn)
    last_bill = max(drawn, key=local_day)
    per_day = last_bill.amount / 30
    unbilled_days = (expires - local_day(last_bill).replace(day=1)).days
    assert per_day * unbilled_days < Decimal(credit["remaining"])


def test_sales_follow_the_week_and_grow(history: DemoHistory) -> None:
    sales = of(history, "revenue")
    by_weekday = Counter(local_day(sale).weekday() for sale in sales)
    assert min(by_weekday[day] for day in range(5)) > 1.5 * max(by_weekday[5], by_weekday[6])
    middle = TODAY - timedelta(days=274)
    earlier = sum(sale.amount for sale in sales if local_day(sale) < middle)
    assert sum(sale.amount for sale in sales if local_day(sale) >= middle) > earlier
    assert of(history, "refund")


def test_contracts_are_paid_up_front_and_one_customer_left(history: DemoHistory) -> None:
    payments = of(history, "enterprise")
    assert all(isinstance(p.metadata, dict) and p.metadata["deferred"] is True for p in payments)
    renewed = {p.counterparty for p in payments if isinstance(p.metadata, dict) and p.metadata["renewal"]}
    assert renewed
    assert "Ostrava Rail" not in renewed


def test_three_months_are_the_end_of_the_same_story(history: DemoHistory) -> None:
    small = history_on(TODAY, months=3)
    first_day = TODAY - timedelta(days=91)
    assert small.drafts == tuple(draft for draft in history.drafts if local_day(draft) >= first_day)
    assert small.plan["opening_balance"] == history.plan["opening_balance"]
    assert small.plan["history_start"] == first_day.isoformat()


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 2, 28), date(2027, 5, 31), date(2028, 2, 29)])
def test_it_is_a_believable_company_whatever_the_day_it_is_made(today: date) -> None:
    """Six months of runway in the middle, less than three at worst, and an honest spread between."""
    made = history_on(today)
    plan = parse_plan(made.plan)
    company = CompanyHistory(
        as_of=Story(today).as_of,
        base_currency="USD",
        flows=daily_flows_from_events(made.drafts, TIMEZONE),
        cash=plan.opening_balance,
        rates=plan.fx,
        plan=plan,
        timezone=TIMEZONE,
        company="demo",
    )
    free = forecast(company, basis="free", horizon_days=365, paths=10_000, seed=42)
    bank = forecast(company, basis="bank", horizon_days=365, paths=10_000, seed=42)
    assert 60 <= free.p5_days < 90
    assert 150 <= free.p50_days <= 240
    assert free.p95_days - free.p5_days > 90
    assert bank.p50_days > free.p50_days


def test_nobody_is_paid_on_a_holiday(history: DemoHistory) -> None:
    for draft in chain(of(history, "rent"), of(history, "payroll_tax"), of(history, "payout")):
        assert is_workday(local_day(draft)), draft
