"""Plaid's rows in our terms: sign, days, currencies, pending rows, transfers, balances."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.event import parse_event
from ledger.domain.intake import ObjectKey, StatedBalance
from ledger.domain.problems import InvalidEvent
from ledger.domain.strict_json import parse_json
from ledger.providers.plaid_transactions import (
    OwnAccount,
    OwnWallets,
    UnreadablePage,
    account_name,
    read_accounts,
    read_page,
    stated_balances,
)

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
CHECKING = OwnAccount(name="bank-checking", kind="bank", currency="USD", timezone=NEW_YORK)
CARD = OwnAccount(name="card-visa", kind="card", currency="USD", timezone=NEW_YORK)
ACCOUNTS = {"acc-bank": CHECKING, "acc-card": CARD}


def row(**changes: Any) -> dict[str, Any]:
    return {
        "transaction_id": "tx-1",
        "account_id": "acc-bank",
        "amount": Decimal("72.10"),
        "iso_currency_code": "USD",
        "unofficial_currency_code": None,
        "date": "2026-06-01",
        "datetime": None,
        "authorized_date": "2026-05-30",
        "name": "PURCHASE WM SUPERCENTER #1700",
        "merchant_name": "Walmart",
        "pending": False,
        "pending_transaction_id": None,
        "personal_finance_category": {"primary": "GENERAL_MERCHANDISE", "detailed": "GENERAL_MERCHANDISE_OTHER"},
        **changes,
    }


def page(*added: dict[str, Any], **lists: Any) -> dict[str, Any]:
    return {"added": list(added), "modified": [], "removed": [], "next_cursor": "c", "has_more": False, **lists}


def event(changed: dict[str, Any], wallets: OwnWallets | None = None) -> dict[str, Any]:
    (said,) = read_page(page(changed), accounts=ACCOUNTS, wallets=wallets or OwnWallets()).intake.events
    return dict(said)


def test_a_positive_amount_leaves_the_account() -> None:
    said = event(row())

    assert (said["event_type"], said["amount"]) == ("expense", Decimal("72.10"))
    assert said["account"] == "bank-checking"
    assert said["external_ref"] == "tx-1"
    assert said["counterparty"] == "Walmart"


def test_a_negative_amount_arrives() -> None:
    said = event(row(amount=Decimal(-7500)))

    assert (said["event_type"], said["amount"]) == ("income", Decimal(7500))


@given(cents=st.integers(min_value=-(10**11), max_value=10**11).filter(bool), on_card=st.booleans())
def test_the_signed_sum_of_our_events_is_the_negative_of_plaids(cents: int, on_card: bool) -> None:
    amount = Decimal(cents) / 100
    draft = parse_event(event(row(amount=amount, account_id="acc-card" if on_card else "acc-bank")), now=NOW)

    assert (draft.amount if draft.flow == "in" else -draft.amount) == -amount


def test_a_date_is_noon_in_the_accounts_time_zone() -> None:
    assert event(row())["occurred_at"] == "2026-06-01T12:00:00-04:00"


def test_an_instant_counts_when_it_lies_on_the_posting_day() -> None:
    assert event(row(datetime="2026-06-01T11:01:01Z"))["occurred_at"] == "2026-06-01T11:01:01+00:00"


def test_a_naive_instant_is_the_accounts_own_time() -> None:
    assert event(row(datetime="2026-06-01T11:01:01"))["occurred_at"] == "2026-06-01T11:01:01-04:00"


@pytest.mark.parametrize("filler", ["2026-06-01T00:00:00Z", "2026-06-02T03:00:00Z".replace("T03", "T05"), "soon"])
def test_a_filled_in_instant_does_not_move_the_day(filler: str) -> None:
    assert event(row(datetime=filler))["occurred_at"] == "2026-06-01T12:00:00-04:00"


def test_a_time_that_clocks_skipped_leaves_the_day() -> None:
    skipped = row(date="2026-03-08", datetime="2026-03-08T02:30:00")
    assert event(skipped)["occurred_at"] == "2026-03-08T12:00:00-04:00"


def test_pending_rows_are_not_recorded() -> None:
    read = read_page(page(row(pending=True)), accounts=ACCOUNTS, wallets=OwnWallets())

    assert read.intake.events == ()
    assert read.pending == ("tx-1",)


def test_a_row_that_turns_pending_again_is_taken_back() -> None:
    read = read_page(page(modified=[row(pending=True)]), accounts=ACCOUNTS, wallets=OwnWallets())

    assert read.intake.removed == (ObjectKey("plaid", "tx-1"),)


def test_modified_rows_come_as_events_and_removed_ones_as_keys() -> None:
    read = read_page(
        page(modified=[row(amount=Decimal(80))], removed=[{"transaction_id": "tx-9", "account_id": "acc-bank"}]),
        accounts=ACCOUNTS,
        wallets=OwnWallets(),
    )

    assert [said["amount"] for said in read.intake.events] == [Decimal(80)]
    assert read.intake.removed == (ObjectKey("plaid", "tx-9"),)


@pytest.mark.parametrize("code", [None, "BTC", "AMEX_POINTS"])
def test_an_unofficial_currency_is_refused_by_name(code: str | None) -> None:
    said = event(row(iso_currency_code=None, unofficial_currency_code=code))

    with pytest.raises(InvalidEvent) as refused:
        parse_event(said, now=NOW)
    assert [problem.field for problem in refused.value.errors] == ["currency"]


def test_rows_keep_their_own_currency() -> None:
    assert event(row(iso_currency_code="EUR"))["currency"] == "EUR"


def test_a_row_of_an_account_we_do_not_have_is_kept_with_the_reason() -> None:
    read = read_page(page(row(account_id="loan")), accounts=ACCOUNTS, wallets=OwnWallets())

    ((kept, reason),) = read.strange
    assert kept["transaction_id"] == "tx-1"
    assert "holds no cash" in reason


def test_paying_the_cards_bill_is_a_transfer_only_when_the_card_is_in_the_books() -> None:
    paying = row(
        personal_finance_category={"primary": "LOAN_PAYMENTS", "detailed": "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"}
    )

    assert event(paying)["event_type"] == "expense"
    said = event(paying, OwnWallets(has_card=True))
    assert (said["event_type"], said["direction"]) == ("transfer", "out")


def test_a_payout_of_our_processor_is_a_transfer() -> None:
    payout = row(amount=Decimal(-950), merchant_name=None, name="STRIPE TRANSFER ST-X1")

    assert event(payout)["event_type"] == "income"
    said = event(payout, OwnWallets(processors=frozenset({"stripe"})))
    assert (said["event_type"], said["direction"]) == ("transfer", "in")


def test_a_transfer_between_own_accounts_is_neither_burn_nor_income() -> None:
    moved = row(personal_finance_category={"primary": "TRANSFER_OUT", "detailed": "TRANSFER_OUT_ACCOUNT_TRANSFER"})

    assert event(moved)["event_type"] == "transfer"


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"added": None, "modified": [], "removed": []},
        {"added": [7], "modified": [], "removed": []},
        {"added": [{"account_id": "acc-bank"}], "modified": [], "removed": []},
        {"added": [], "modified": [], "removed": [{}]},
    ],
)
def test_a_page_that_is_none_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(UnreadablePage):
        read_page(broken, accounts=ACCOUNTS, wallets=OwnWallets())


@pytest.mark.parametrize("amount", [None, "72.10", True, []])
def test_an_amount_that_is_none_is_refused_by_the_recorder_and_breaks_nothing(amount: object) -> None:
    said = event(row(amount=amount))
    if amount != "72.10":
        with pytest.raises(InvalidEvent):
            parse_event(said, now=NOW)


def test_the_documented_page_reads_as_documented(shared_data: Path) -> None:
    text = (shared_data / "plaid-sync" / "transactions_sync.json").read_bytes()
    documented = parse_json(text)
    (found,) = read_accounts(documented)
    own = OwnAccount(name=account_name(found, taken=()), kind="bank", currency="USD", timezone=NEW_YORK)

    read = read_page(documented, accounts={found.account_id: own}, wallets=OwnWallets())

    (said,) = read.intake.events
    draft = parse_event(dict(said), now=NOW)
    assert own.name == "bank-plaid-checking-0000"
    assert (draft.event_type, draft.amount, draft.currency) == ("expense", Decimal("72.1"), "USD")
    assert draft.occurred_at == datetime(2023, 9, 24, 11, 1, 1, tzinfo=UTC)
    assert draft.external_ref == "lPNjeW1nR6CDn5okmGQ6hEpMo4lLNoSrzqDje"
    # The modified row is pending; the removed one was never recorded.
    assert read.pending == ("yhnUVvtcGGcCKU0bcz8PDQr5ZUxUXebUvbKC0",)
    assert [key.external_ref for key in read.intake.removed] == [
        "yhnUVvtcGGcCKU0bcz8PDQr5ZUxUXebUvbKC0",
        "CmdQTNgems8BT1B7ibkoUXVPyAeehT3Tmzk0l",
    ]


def test_balances_are_ours_and_what_a_card_owes_is_negative(shared_data: Path) -> None:
    found = read_accounts(parse_json((shared_data / "plaid-sync" / "accounts_balance_get.json").read_bytes()))
    bank, card, _loan = found
    accounts = {bank.account_id: CHECKING, card.account_id: CARD}

    assert [account.kind for account in found] == ["bank", "card", None]
    assert stated_balances(found, accounts=accounts, now=NOW) == (
        StatedBalance("bank-checking", "USD", Decimal(110), date(2026, 6, 15), as_of=NOW),
        StatedBalance("card-visa", "USD", Decimal(-410), date(2026, 6, 15), as_of=NOW),
    )


def test_the_day_of_a_balance_is_the_accounts_day() -> None:
    found = read_accounts(
        {
            "accounts": [
                {
                    "account_id": "acc-bank",
                    "type": "depository",
                    "balances": {"current": 5, "iso_currency_code": "USD"},
                }
            ]
        }
    )

    (stated,) = stated_balances(found, accounts=ACCOUNTS, now=datetime(2026, 6, 15, 3, tzinfo=UTC))

    assert stated.day == date(2026, 6, 14)


def test_two_accounts_of_one_name_get_two_names() -> None:
    (found,) = read_accounts(
        {"accounts": [{"account_id": "XyZ123456", "type": "depository", "name": "Checking", "mask": "1111"}]}
    )

    assert account_name(found, taken=()) == "bank-checking-1111"
    assert account_name(found, taken={"bank-checking-1111"}) == "bank-checking-1111-xyz123"


def test_the_sandbox_business_account_flows_as_its_bank_says(shared_data: Path) -> None:
    """The sandbox describes rows as a bank books them; Plaid serves them with these very amounts."""
    described = json.loads((shared_data / "plaid-sandbox-users/transactions/business_account.json").read_text())
    rows = []
    for account in described["override_accounts"]:
        for number, booked in enumerate(account["transactions"]):
            rows.append(
                row(
                    transaction_id=f"{account['numbers']['account']}-{number}",
                    amount=Decimal(str(booked["amount"])),
                    iso_currency_code=booked["currency"],
                    date=booked["date_posted"],
                    name=booked["description"],
                    merchant_name=None,
                )
            )

    said = read_page(page(*rows), accounts=ACCOUNTS, wallets=OwnWallets()).intake.events

    drafts = [parse_event(dict(one), now=datetime(2026, 11, 1, tzinfo=UTC)) for one in said]
    signed = sum(draft.amount if draft.flow == "in" else -draft.amount for draft in drafts)
    assert len(drafts) == len(rows) > 20
    assert signed == -sum(one["amount"] for one in rows)
