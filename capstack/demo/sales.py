"""Subscriptions paid by card through Stripe: more on weekdays, growing, with refunds."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from capstack.demo.entry import cents, dice, entry
from capstack.demo.story import Story
from ledger.domain.event import EventDraft

CHARGES_PER_DAY_AT_START = 4.1
GROWTH_PER_MONTH = 0.016
BY_WEEKDAY = (1.25, 1.3, 1.2, 1.15, 1.05, 0.5, 0.55)
PLANS = (49.0, 149.0, 299.0, 299.0, 599.0, 899.0)
FEE_SHARE, FEE_PER_CHARGE = 0.029, 0.30
REFUNDED_SHARE = 0.016


def sales(story: Story) -> Iterator[EventDraft]:
    rng = dice("sales")
    for offset in range((story.today - story.first_day).days):
        day = story.first_day + timedelta(days=offset)
        growth = (1 + GROWTH_PER_MONTH) ** story.months_since_start(day)
        expected = CHARGES_PER_DAY_AT_START * growth * BY_WEEKDAY[day.weekday()]
        for number in range(int(rng.poisson(expected))):
            yield from _charge(story, rng, day, f"{day:%Y%m%d}{number:02}")


def _charge(story: Story, rng: np.random.Generator, day: date, number: str) -> Iterator[EventDraft]:
    # Seats vary around the list price.
    gross = float(rng.choice(PLANS)) * float(rng.lognormal(0.0, 0.22))
    fee = gross * FEE_SHARE + FEE_PER_CHARGE
    customer = f"Customer {int(rng.integers(1, 420)):03}"
    hour, refunded, waits_days = int(rng.integers(0, 24)), rng.random() < REFUNDED_SHARE, int(rng.integers(2, 12))
    yield entry(
        day=day,
        hour=hour,
        source="stripe",
        event_type="income",
        amount=cents(gross - fee),
        account="stripe",
        category="revenue",
        counterparty="Stripe",
        ref=f"ch_{number}",
        metadata={"customer": customer, "gross": str(cents(gross)), "fee": str(cents(fee))},
    )
    back = day + timedelta(days=waits_days)
    if refunded and back < story.today:
        yield entry(
            day=back,
            hour=14,
            source="stripe",
            event_type="adjustment",
            direction="out",
            amount=cents(gross),
            account="stripe",
            category="refund",
            counterparty="Stripe",
            ref=f"re_{number}",
            metadata={"charge": f"ch_{number}", "customer": customer},
        )
