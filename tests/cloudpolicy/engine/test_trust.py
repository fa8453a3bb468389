"""Every doubt about the books behind a forecast: what forbids acting, and what is only worth a warning."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.history import History
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.runway import AccountDoubt, ChainCheck
from cloudpolicy.filters.registry import all_filters
from tests.cloudpolicy.engine.samples import GROUPS, LADDER, NOW, runway

HOLDS = ChainCheck(NOW - timedelta(hours=1))


def plan(chain: ChainCheck | None = HOLDS, *doubts: AccountDoubt) -> ScalingPlan:
    return evaluate(
        policy=LADDER,
        groups=GROUPS,
        runway=replace(runway(50), chain=chain, doubts=doubts),
        history=History(),
        now=NOW,
        actions=all_actions(),
        filters=all_filters(),
    )


def against(made: ScalingPlan) -> list[tuple[str, str]]:
    return [(reason.code, reason.text) for reason in made.read_only_because]


def warnings(made: ScalingPlan) -> set[str]:
    return {reason.code for reason in made.warnings}


def test_books_in_order_are_acted_on() -> None:
    made = plan()
    assert made.trusted
    assert made.calls
    assert warnings(made) == set()


def test_a_broken_chain_forbids_acting_and_says_where_and_how() -> None:
    made = plan(ChainCheck(NOW, "edited at position 4"))
    assert against(made) == [("chain_broken", "the journal does not fit its chain: edited at position 4")]
    # The calls still show what the figure would imply.
    assert made.calls


def test_a_verifier_that_has_not_been_heard_of_for_days_forbids_acting() -> None:
    assert plan(ChainCheck(NOW - timedelta(hours=72))).trusted
    made = plan(ChainCheck(NOW - timedelta(hours=73)))
    assert against(made) == [
        ("chain_check_stale", "the journal was last held against its chain 73 hours ago, more than 72")
    ]


def test_a_journal_that_nobody_has_verified_yet_is_only_a_warning() -> None:
    made = plan(None)
    assert made.trusted
    assert "chain_unverified" in warnings(made)


@pytest.mark.parametrize(
    ("doubt", "code", "text"),
    [
        (
            AccountDoubt("bank", broken_on=date(2026, 2, 3), off_by="-5.25 USD"),
            "account_unreconciled",
            "bank is unreconciled since 2026-02-03: it is off by -5.25 USD",
        ),
        (
            AccountDoubt("card", quiet_days=40, is_silent=True),
            "account_silent",
            "card is silent: no event for 40 days",
        ),
        (
            AccountDoubt("bank", silent_feeds=("plaid",)),
            "account_silent",
            "the feed plaid has fallen silent on bank",
        ),
    ],
)
def test_an_account_that_is_off_or_silent_forbids_acting_and_is_named(
    doubt: AccountDoubt, code: str, text: str
) -> None:
    made = plan(HOLDS, doubt)
    assert against(made) == [(code, text)]
    assert not made.trusted


def test_every_doubt_is_told() -> None:
    made = plan(
        ChainCheck(NOW, "cut off"),
        AccountDoubt("bank", quiet_days=40, is_silent=True, broken_on=date(2026, 2, 3), off_by="1 USD"),
        AccountDoubt("card", silent_feeds=("brex",)),
    )
    assert [code for code, _ in against(made)] == [
        "chain_broken",
        "account_unreconciled",
        "account_silent",
        "account_silent",
    ]


def test_an_account_that_is_merely_late_is_only_a_warning() -> None:
    made = plan(HOLDS, AccountDoubt("bank", quiet_days=7, is_late=True))
    assert made.trusted
    assert "account_late" in warnings(made)
