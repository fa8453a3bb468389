"""The cloud bill: a growing usage, paid in cash at first and by a vendor's credit since."""

from collections.abc import Iterator
from datetime import date

from capstack.demo.entry import cents, dice, entry
from capstack.demo.story import Story
from capstack.demo.workdays import months_between, next_month
from ledger.domain.event import EventDraft

PROVIDER = "AWS"
USAGE_PER_MONTH_AT_START = 25_500.0
GROWTH_PER_MONTH = 0.021
INVOICE_DAY = 3


def cloud_bill(story: Story) -> Iterator[EventDraft]:
    """One bill a month, on the third, for the month before. No cash moves for what the credit pays."""
    for month, usage in usage_by_month(story):
        billed = next_month(month).replace(day=INVOICE_DAY)
        if billed < story.today:
            yield _bill(month, billed, usage, by_credit=billed >= story.credit_granted)


def usage_by_month(story: Story) -> Iterator[tuple[date, float]]:
    """What each month's usage costs before credits: (first day, dollars), the month of today whole."""
    rng = dice("cloud bill")
    for month in months_between(story.first_day, story.today):
        usage = USAGE_PER_MONTH_AT_START * (1 + GROWTH_PER_MONTH) ** story.months_since_start(month)
        yield month, usage * float(rng.lognormal(0.0, 0.035))


def _bill(month: date, billed: date, usage: float, *, by_credit: bool) -> EventDraft:
    return entry(
        day=billed,
        hour=5,
        source="aws",
        event_type="credit" if by_credit else "expense",
        amount=cents(usage),
        account="cloud-aws" if by_credit else "bank",
        category="cloud_credit" if by_credit else "cloud",
        counterparty=PROVIDER,
        ref=f"invoice-{month:%Y-%m}",
        metadata={"period": f"{month:%Y-%m}", "gross": str(cents(usage))},
    )
