"""Customers who pay a year in advance: cash at once, earned month by month."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from capstack.demo.entry import cents, entry
from capstack.demo.story import Story
from capstack.demo.workdays import on_or_after
from ledger.domain.event import EventDraft

RENEWAL_UPLIFT = 1.04
# (customer, days before today on which the first of the payments in the history came, yearly fee)
CONTRACTS = (
    ("Harbour Freight Systems", 541, 64_000),
    ("Kestrel Insurance", 498, 48_000),
    ("Lumen Health", 463, 84_000),
    ("Ostrava Rail", 452, 36_000),
    ("Pinecrest Credit Union", 377, 54_000),
    ("Quarry & Sons", 318, 42_000),
    ("Solenne Hotels", 261, 60_000),
    ("Tarn Logistics", 204, 38_000),
    ("Verity Schools", 121, 45_000),
    ("Windward Energy", 58, 72_000),
)
# Does not renew: churn belongs to the picture.
LEFT = frozenset({"Ostrava Rail"})
RECEIVABLE = ("Corbel Architects", Decimal("39000.00"), timedelta(days=16))


def contracts(story: Story) -> Iterator[EventDraft]:
    for customer, days_ago, fee in CONTRACTS:
        signed = on_or_after(story.today - timedelta(days=days_ago))
        yield _payment(customer, signed, float(fee), renewal=False)
        renewed = on_or_after(signed + timedelta(days=367))
        if renewed < story.today and customer not in LEFT:
            yield _payment(customer, renewed, fee * RENEWAL_UPLIFT, renewal=True)


def _payment(customer: str, day: date, fee: float, *, renewal: bool) -> EventDraft:
    return entry(
        day=day,
        hour=10,
        source="bank",
        event_type="income",
        amount=cents(fee),
        account="bank",
        category="enterprise",
        counterparty=customer,
        ref=f"wire-{customer.split()[0].lower()}-{day}",
        metadata={"contract": "annual", "term_months": 12, "deferred": True, "renewal": renewal},
    )
