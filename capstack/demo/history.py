"""The whole past of the demo company, and the plan that goes with it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from capstack.demo.cloud_bill import PROVIDER, cloud_bill
from capstack.demo.contracts import RECEIVABLE, contracts
from capstack.demo.funding import funding
from capstack.demo.payroll import payroll
from capstack.demo.sales import sales
from capstack.demo.spending import spending
from capstack.demo.story import (
    CASH_AT_END,
    CREDIT_LEFT,
    CURRENCY,
    DAYS_PER_MONTH,
    SECOND_TRANCHE,
    SLUG,
    TRANCHE_DELAY_DAYS,
    Story,
)
from capstack.demo.transfers import Rates, local_day, signed, transfers
from capstack.demo.vendors import renewals, vendors
from ledger.domain.event import EventDraft
from ledger.domain.intake import StatedBalance

BANKS = {"USD": "bank", "GBP": "bank-gbp", "EUR": "bank-eur"}
CASH_ACCOUNTS = ("bank", "card", "stripe")


@dataclass(frozen=True, slots=True)
class DemoHistory:
    """What the demo company did, and what it plans.

    Attributes:
        drafts: ordered by time.
        balances: what each account's own statements say, before the first day and at the end of the last one.
        plan: the content of its plan.json.
    """

    drafts: tuple[EventDraft, ...]
    balances: tuple[StatedBalance, ...]
    plan: dict[str, Any]


def generate_history(*, story: Story, rates: Rates, months: int = 18) -> DemoHistory:
    """Invent the past. Pure: the same story and rates give the same events.

    Args:
        months: how many of the last months to keep, at most 18. Fewer make a small company for tests: the same
            one, of which less is known.
    """
    caused = list(
        chain(
            payroll(story),
            sales(story),
            contracts(story),
            cloud_bill(story),
            vendors(story),
            spending(story),
            funding(story),
        )
    )
    first_day = max(story.first_day, story.today - timedelta(days=round(months * DAYS_PER_MONTH)))
    everything = [*caused, *transfers(story, caused, rates)]
    kept = [draft for draft in everything if first_day <= local_day(draft) < story.today]
    kept.sort(key=lambda draft: (draft.occurred_at, draft.source, draft.external_ref))
    earlier = [draft for draft in everything if local_day(draft) < first_day]
    return DemoHistory(
        tuple(kept), _balances(story, earlier, kept, first_day), _plan(story, kept, first_day, rates)
    )


def _balances(
    story: Story, earlier: list[EventDraft], kept: list[EventDraft], first_day: date
) -> tuple[StatedBalance, ...]:
    """Card and processor hold what their own events left there; the banks hold the rest of the cash."""
    end: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    moved: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for draft in (*earlier, *kept):
        if draft.account not in BANKS.values():
            end[draft.account or "", draft.currency] += signed(draft)
    for draft in kept:
        moved[draft.account or "", draft.currency] += signed(draft)
    for currency, bank in BANKS.items():
        elsewhere = sum((cash for (_, held), cash in end.items() if held == currency), Decimal(0))
        end[bank, currency] = CASH_AT_END[currency] - elsewhere
    stated = []
    for (account, currency), cash in sorted(end.items()):
        if account.startswith(CASH_ACCOUNTS):
            opening = cash - moved[account, currency]
            stated.append(StatedBalance(account, currency, opening, first_day - timedelta(days=1)))
            stated.append(StatedBalance(account, currency, cash, story.as_of))
    return tuple(stated)


def _plan(story: Story, drafts: list[EventDraft], first_day: date, rates: Rates) -> dict[str, Any]:
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for draft in drafts:
        moved[draft.currency] += signed(draft)
    customer, amount, due_in = RECEIVABLE
    return {
        "company": SLUG,
        "base_currency": CURRENCY,
        "as_of": story.as_of.isoformat(),
        "history_start": first_day.isoformat(),
        "opening_balance": {currency: str(cash) for currency, cash in CASH_AT_END.items()},
        "history_opening_balance": {
            currency: str(cash - moved[currency]) for currency, cash in CASH_AT_END.items()
        },
        "fx": {currency: str(rates(currency, story.as_of)) for currency in CASH_AT_END if currency != CURRENCY},
        "fx_history": [],
        "tranches": [
            {
                "date": story.second_tranche_planned.isoformat(),
                "amount": str(SECOND_TRANCHE),
                "probability": 0.75,
                "delay": {"dist": "gamma", "mean_days": float(TRANCHE_DELAY_DAYS), "sd_days": 12.0},
                "milestone": "Series B, second: 1.8 M annual recurring revenue",
            }
        ],
        "cloud_credits": [
            {"provider": PROVIDER, "remaining": str(CREDIT_LEFT), "expires": story.credit_expires.isoformat()}
        ],
        "planned_hires": [
            {
                "start": (story.today + timedelta(days=33)).isoformat(),
                "monthly_gross": "11800.00",
                "currency": CURRENCY,
                "confirmed": True,
            },
            {
                "start": (story.today + timedelta(days=95)).isoformat(),
                "monthly_gross": "6300.00",
                "currency": "GBP",
                "confirmed": False,
            },
        ],
        "annual_renewals": renewals(story),
        "open_receivables": [
            {"customer": customer, "amount": str(amount), "due": (story.today + due_in).isoformat()}
        ],
    }
