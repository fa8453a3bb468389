"""Gains on foreign money out of the journal."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ledger.domain.company import CompanyRef
from ledger.domain.fx import SettlementRate
from ledger.domain.money import convert
from ledger.selectors.flows import daily_flows
from ledger.selectors.fx import rate
from ledger.selectors.fx_gains import FxGains, fx_gains
from ledger.services.daily_flows import catch_up
from ledger.services.match import follow_journal
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.statements import state_balance
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db


def book(company: CompanyRef, day: str, amount: str, event_type: str = "expense", **changes: object) -> str:
    draft = make_draft(
        **{
            "occurred_at": f"{day}T16:00:00Z",
            "amount": amount,
            "event_type": event_type,
            "currency": "EUR",
            "account": "bank-eur",
            "external_ref": f"{day}{amount}{event_type}{changes}"[:255],
            **changes,
        }
    )
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW, create_accounts=True)
    assert outcome.status == "recorded", outcome
    return outcome.event_id


def gains(company: CompanyRef, start: date, end: date) -> FxGains:
    catch_up(company_id=company.id)
    follow_journal(company_id=company.id, now=NOW)
    return fx_gains(company_id=company.id, base_currency="USD", start=start, end=end)


def worth(amount: str, day: date, currency: str = "EUR") -> Decimal:
    return convert(Decimal(amount), rate=rate(currency=currency, base="USD", on=day).rate)


JAN_5, FEB_2, MARCH_2 = date(2026, 1, 5), date(2026, 2, 2), date(2026, 3, 2)


def test_paying_with_foreign_money_realises_what_its_rate_moved(company: CompanyRef) -> None:
    book(company, "2026-01-05", "1000", "income")
    book(company, "2026-02-02", "1000")
    found = gains(company, JAN_5, MARCH_2)
    assert found.realised[found.days.index(FEB_2)] == worth("1000", FEB_2) - worth("1000", JAN_5) != 0
    assert sum(map(abs, found.realised)) == abs(found.realised[found.days.index(FEB_2)])
    assert found.unrealised[found.days.index(FEB_2)] == 0


def test_what_lies_there_gains_with_every_day_and_holds_its_rate_on_weekends(company: CompanyRef) -> None:
    book(company, "2026-01-05", "1000", "income")
    found = gains(company, JAN_5, MARCH_2)
    unrealised = dict(zip(found.days, found.unrealised, strict=True))
    assert unrealised[JAN_5] == 0
    assert unrealised[FEB_2] == worth("1000", FEB_2) - worth("1000", JAN_5)
    friday, saturday, sunday = (date(2026, 1, day) for day in (9, 10, 11))
    assert unrealised[friday] == unrealised[saturday] == unrealised[sunday] != 0
    assert set(found.realised) == {Decimal(0)}


def test_a_transfer_between_own_accounts_realises_nothing_and_a_conversion_does(company: CompanyRef) -> None:
    book(company, "2026-01-05", "1000", "income")
    book(company, "2026-02-02", "600", "transfer", direction="out")
    book(company, "2026-02-04", "600", "transfer", direction="in", account="bank-eur-two")
    assert set(gains(company, JAN_5, MARCH_2).realised) == {Decimal(0)}
    book(company, "2026-02-03", "300", "transfer", direction="out")
    book(company, "2026-02-03", "350", "transfer", direction="in", account="bank", currency="USD")
    found = gains(company, JAN_5, MARCH_2)
    day = date(2026, 2, 3)
    # What was received, not what the day's rate would have made of it.
    expected = 350 - worth("1000", JAN_5) * Decimal("0.3")
    assert found.realised[found.days.index(day)] == pytest.approx(expected, abs=Decimal("0.000001"))
    (pool,) = found.pools
    assert (pool.currency, pool.amount) == ("EUR", Decimal(700))


def test_a_conversion_into_a_third_currency_passes_its_value_on(company: CompanyRef) -> None:
    book(company, "2026-01-05", "1000", "income")
    day, later = date(2026, 2, 3), date(2026, 2, 4)
    pounds = (worth("600", day) / rate(currency="GBP", base="USD", on=later).rate * Decimal("0.99")).quantize(
        Decimal("0.01")
    )
    book(company, f"{day}", "600", "transfer", direction="out")
    book(company, f"{later}", f"{pounds}", "transfer", direction="in", account="bank-gbp", currency="GBP")
    found = gains(company, JAN_5, MARCH_2)
    arrived = worth(f"{pounds}", later, "GBP")
    cost = worth("1000", JAN_5) * Decimal("0.6")
    assert found.realised[found.days.index(day)] == pytest.approx(arrived - cost, abs=Decimal("0.000001"))
    assert not found.realised[found.days.index(later)]
    euros, sterling = found.pools
    assert (euros.amount, sterling.amount, sterling.cost) == (400, pounds, arrived)


def test_a_leg_without_its_other_side_counts_as_paid_until_that_is_matched(company: CompanyRef) -> None:
    book(company, "2026-01-05", "1000", "income")
    book(company, "2026-02-02", "600", "transfer", direction="out")
    assert gains(company, JAN_5, MARCH_2).pools[0].amount == 400
    book(company, "2026-02-04", "600", "transfer", direction="in", account="bank-two")
    found = gains(company, JAN_5, date(2026, 2, 4))
    assert found.pools[0].amount == 1000
    assert set(found.realised) == {Decimal(0)}


def test_money_stated_before_the_first_event_costs_what_it_was_worth_then(company: CompanyRef) -> None:
    state_balance(
        company_id=company.id,
        currency="EUR",
        amount=Decimal(5000),
        day=date(2026, 1, 2),
        origin="plan",
        actor="t",
        now=NOW,
    )
    book(company, "2026-01-05", "1000")
    found = gains(company, JAN_5, MARCH_2)
    assert found.pools[0].amount == 4000
    assert found.realised[0] == pytest.approx(
        worth("1000", JAN_5) - worth("1000", date(2026, 1, 4)), abs=Decimal("0.000001")
    )


def test_gains_are_recomputed_from_what_the_journal_says_now(company: CompanyRef) -> None:
    book(company, "2026-01-05", "1000", "income")
    event_id = book(company, "2026-02-02", "1000")
    assert any(gains(company, JAN_5, MARCH_2).realised)
    reverse(company_id=company.id, event_id=event_id, reason="no", actor="t", now=NOW)
    found = gains(company, JAN_5, MARCH_2)
    assert not any(found.realised)
    assert found == gains(company, JAN_5, MARCH_2)


def test_a_gain_is_in_no_flow(company: CompanyRef) -> None:
    book(company, "2026-01-05", "1000", "income")
    book(company, "2026-02-02", "1000")
    catch_up(company_id=company.id)
    flows = daily_flows(company_id=company.id, until=MARCH_2)
    assert sorted(flows.amount.tolist()) == [-1000.0, 1000.0]


def test_usage_on_a_cloud_account_in_foreign_currency_is_no_foreign_money(company: CompanyRef) -> None:
    book(company, "2026-01-05", "1000", account="cloud-hetzner")
    assert gains(company, JAN_5, MARCH_2).pools == ()


def test_a_dead_currency_counts_at_cost_and_is_named(company: CompanyRef) -> None:
    # The European Central Bank quotes no rouble since the first of March 2022.
    book(company, "2022-02-20", "1000", "income", currency="RUB", account="bank-rub")
    found = gains(company, date(2022, 2, 20), date(2022, 3, 20))
    assert found.unpriced == ("RUB",)
    assert found.unrealised[-1] == 0
    assert found.pools[0].unrealised is None


def test_a_currency_that_became_the_euro_moves_with_it(company: CompanyRef) -> None:
    book(company, "2022-12-20", "753.45", "income", currency="HRK", account="bank-hrk")
    found = gains(company, date(2022, 12, 20), date(2023, 1, 20))
    assert found.unpriced == ()
    cost = Decimal("753.45") * rate(currency="HRK", base="USD", on=date(2022, 12, 20)).rate
    worth = 100 * rate(currency="EUR", base="USD", on=date(2023, 1, 19)).rate
    assert found.unrealised[-1] == pytest.approx(worth - cost, abs=Decimal("0.001"))


def test_only_the_companys_currency_gains_nothing(company: CompanyRef) -> None:
    book(company, "2026-01-05", "1000", "income", currency="USD", account="bank")
    found = gains(company, JAN_5, MARCH_2)
    assert (found.pools, set(found.realised)) == ((), {Decimal(0)})


def test_a_providers_own_rate_goes_before_the_published_one(company: CompanyRef) -> None:
    book(company, "2026-01-05", "1000", "income")
    settled = replace(
        make_draft(
            event_type="transfer",
            direction="out",
            amount="1000",
            currency="EUR",
            account="bank-eur",
            occurred_at="2026-02-02T16:00:00Z",
            external_ref="payout",
        ),
        settlement=SettlementRate("USD", Decimal("1.5"), "stripe", datetime(2026, 2, 2, 16, tzinfo=UTC)),
    )
    (outcome,) = record(company_id=company.id, drafts=[settled], actor="t", now=NOW)
    assert outcome.status == "recorded"
    found = gains(company, JAN_5, MARCH_2)
    assert sum(found.realised) == 1500 - worth("1000", JAN_5)
