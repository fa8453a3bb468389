"""Cash and credit grants at the end of a day."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.domain.company import CompanyRef
from ledger.domain.credit_grant import CreditGrantBalance
from ledger.models.statement import BalanceStatement
from ledger.selectors.balances import cash_by_currency, credit_grants
from ledger.services.daily_flows import catch_up
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.statements import InvalidStatement, state_balance, state_credit_grant, state_credit_grants
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db

JUNE_1, JUNE_2, JUNE_3, JUNE_4 = (date(2026, 6, day) for day in (1, 2, 3, 4))


def cash(company: CompanyRef, at: date) -> dict[str, Decimal]:
    catch_up(company_id=company.id)
    return cash_by_currency(company_id=company.id, at=at)


def spend(company: CompanyRef, day: date, amount: str, **changes: object) -> str:
    draft = make_draft(
        external_ref=f"{day}-{amount}-{changes}", occurred_at=f"{day}T16:00:00Z", amount=amount, **changes
    )
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW, create_accounts=True)
    assert outcome.status == "recorded"
    return outcome.event_id


def state(
    company: CompanyRef, day: date, amount: str, *, account: str | None = None, origin: str = "plan"
) -> bool:
    return state_balance(
        company_id=company.id,
        currency="USD",
        amount=Decimal(amount),
        day=day,
        account=account,
        origin=origin,
        actor="t",
        now=NOW,
    )


def test_without_a_statement_it_is_the_sum_of_all_events(company: CompanyRef) -> None:
    spend(company, JUNE_1, "10", event_type="income")
    spend(company, JUNE_2, "4")
    spend(company, JUNE_2, "3", currency="EUR")
    assert cash(company, JUNE_1) == {"USD": Decimal(10), "EUR": Decimal(0)}
    assert cash(company, JUNE_2) == {"USD": Decimal(6), "EUR": Decimal(-3)}


def test_a_statement_is_rolled_forward_from_the_end_of_its_day(company: CompanyRef) -> None:
    spend(company, JUNE_1, "10")
    spend(company, JUNE_2, "4")
    state(company, JUNE_1, "100")
    assert cash(company, JUNE_1)["USD"] == 100
    assert cash(company, JUNE_2)["USD"] == 96


def test_an_earlier_day_is_rolled_back_from_the_first_statement(company: CompanyRef) -> None:
    for day in (JUNE_1, JUNE_2, JUNE_3):
        spend(company, day, "5")
    state(company, JUNE_3, "100")
    assert cash(company, JUNE_1)["USD"] == 110
    assert cash(company, date(2026, 5, 1))["USD"] == 115


def test_the_latest_statement_counts(company: CompanyRef) -> None:
    spend(company, JUNE_2, "5")
    state(company, JUNE_1, "100")
    state(company, JUNE_3, "80", origin="bank")
    assert cash(company, JUNE_2)["USD"] == 95
    assert cash(company, JUNE_3)["USD"] == 80


def test_only_cash_accounts_move_cash(company: CompanyRef) -> None:
    state(company, JUNE_1, "100")
    spend(company, JUNE_2, "5", account="cloud-aws")
    spend(company, JUNE_2, "6", event_type="credit")
    spend(company, JUNE_2, "1", account="card")
    assert cash(company, JUNE_2)["USD"] == 99


def test_transfers_between_own_accounts_cancel(company: CompanyRef) -> None:
    state(company, JUNE_1, "100")
    spend(company, JUNE_2, "40", event_type="transfer", direction="out", account="stripe")
    spend(company, JUNE_2, "40", event_type="transfer", direction="in", account="bank")
    assert cash(company, JUNE_2)["USD"] == 100


def test_statements_of_single_accounts_add_up_with_the_sums_of_the_others(company: CompanyRef) -> None:
    spend(company, JUNE_1, "1", account="card")
    spend(company, JUNE_2, "2", account="bank")
    state(company, JUNE_1, "50", account="bank")
    assert cash(company, JUNE_2)["USD"] == 50 - 2 - 1


def test_newer_statements_of_every_account_go_before_an_older_total(company: CompanyRef) -> None:
    spend(company, JUNE_1, "1", account="card")
    spend(company, JUNE_1, "1", account="bank")
    state(company, JUNE_1, "100")
    state(company, JUNE_2, "60", account="bank")
    assert cash(company, JUNE_3)["USD"] == 100
    state(company, JUNE_2, "30", account="card")
    assert cash(company, JUNE_3)["USD"] == 90


def test_a_reversed_event_moves_no_cash(company: CompanyRef) -> None:
    state(company, JUNE_1, "100")
    event_id = spend(company, JUNE_2, "5")
    reverse(company_id=company.id, event_id=event_id, reason="typo", actor="t", now=NOW)
    assert cash(company, JUNE_2)["USD"] == 100


def test_saying_it_twice_keeps_one_and_saying_it_otherwise_keeps_both(company: CompanyRef) -> None:
    assert state(company, JUNE_1, "100")
    assert not state(company, JUNE_1, "100.00")
    assert state(company, JUNE_1, "90")
    assert cash(company, JUNE_1)["USD"] == 90
    assert list(BalanceStatement.objects.order_by("revision").values_list("revision", "amount")) == [
        (0, 100),
        (1, 90),
    ]


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e20"])
def test_it_refuses_a_balance_that_is_no_number(company: CompanyRef, amount: str) -> None:
    with pytest.raises(InvalidStatement):
        state(company, JUNE_1, amount)


def test_it_refuses_a_balance_of_an_unknown_account(company: CompanyRef) -> None:
    with pytest.raises(InvalidStatement, match="nowhere"):
        state(company, JUNE_1, "1", account="nowhere")


# --- Credit grants ----------------------------------------------------------------------------------------


def grant(
    company: CompanyRef, remaining: str, expires_on: date, *, provider: str = "AWS", day: date = JUNE_1
) -> None:
    state_credit_grant(
        company_id=company.id,
        provider=provider,
        remaining=Decimal(remaining),
        expires_on=expires_on,
        day=day,
        origin="plan",
        actor="t",
        now=NOW,
    )


def left(company: CompanyRef, at: date) -> list[tuple[str, Decimal, date]]:
    catch_up(company_id=company.id)
    return [(g.provider, g.remaining, g.expires_on) for g in credit_grants(company_id=company.id, at=at)]


def test_credits_used_later_draw_on_what_expires_first(company: CompanyRef) -> None:
    grant(company, "100", date(2026, 12, 31))
    grant(company, "30", date(2026, 9, 30))
    spend(company, JUNE_1, "7", event_type="credit")
    spend(company, JUNE_2, "40", event_type="credit")
    assert left(company, JUNE_1) == [("AWS", 30, date(2026, 9, 30)), ("AWS", 100, date(2026, 12, 31))]
    assert left(company, JUNE_2) == [("AWS", 90, date(2026, 12, 31))]


def test_an_expired_grant_is_gone(company: CompanyRef) -> None:
    grant(company, "100", JUNE_2)
    assert left(company, JUNE_2) == [("AWS", 100, JUNE_2)]
    assert left(company, JUNE_3) == []


def test_a_grant_never_falls_below_zero(company: CompanyRef) -> None:
    grant(company, "10", date(2026, 12, 31))
    spend(company, JUNE_2, "25", event_type="credit")
    assert left(company, JUNE_2) == []


def test_with_two_providers_the_counterparty_tells_whose_credit_it_was(company: CompanyRef) -> None:
    grant(company, "10", date(2026, 12, 31))
    grant(company, "10", date(2026, 12, 31), provider="GCP")
    spend(company, JUNE_2, "4", event_type="credit", counterparty="aws emea")
    assert [(name, rest) for name, rest, _ in left(company, JUNE_2)] == [("AWS", 6), ("GCP", 10)]


def test_the_latest_statement_of_a_provider_counts(company: CompanyRef) -> None:
    grant(company, "100", date(2026, 12, 31))
    grant(company, "60", date(2026, 12, 31), day=JUNE_3)
    spend(company, JUNE_2, "4", event_type="credit")
    assert left(company, JUNE_2) == [("AWS", 96, date(2026, 12, 31))]
    assert left(company, JUNE_4) == [("AWS", 60, date(2026, 12, 31))]


def test_a_complete_list_withdraws_what_it_leaves_out(company: CompanyRef) -> None:
    def state_all(*grants: CreditGrantBalance) -> int:
        return state_credit_grants(
            company_id=company.id, grants=grants, day=JUNE_1, origin="plan", actor="t", now=NOW
        )

    wrong = CreditGrantBalance("AWS", Decimal(50), date(2026, 9, 30))
    right = CreditGrantBalance("AWS", Decimal(50), date(2026, 10, 31))
    assert state_all(wrong) == 1
    assert state_all(right) == 2
    assert state_all(right) == 0
    assert left(company, JUNE_2) == [("AWS", 50, date(2026, 10, 31))]


def test_it_refuses_a_grant_below_zero(company: CompanyRef) -> None:
    with pytest.raises(InvalidStatement):
        grant(company, "-1", date(2026, 12, 31))


def test_without_a_grant_there_is_none(company: CompanyRef) -> None:
    assert left(company, JUNE_1) == []


def test_on_any_day_it_is_what_adding_up_day_by_day_comes_to(company: CompanyRef) -> None:
    amounts = {date(2026, 5, day): Decimal(day * day) for day in (1, 2, 5, 9, 10, 11, 20, 21)}
    for day, amount in amounts.items():
        spend(company, day, str(amount))
    stated = {date(2026, 5, 2): Decimal(1000), date(2026, 5, 10): Decimal(500)}
    for day, balance in stated.items():
        state(company, day, str(balance))
    for number in range(1, 32):
        at = date(2026, 5, number)
        reference = max((day for day in stated if day <= at), default=min(stated))
        moved = sum(
            -amount * ((reference < day <= at) - (at < day <= reference)) for day, amount in amounts.items()
        )
        assert cash(company, at) == {"USD": stated[reference] + moved}
