"""Bills that come back: rent, insurance, software by the month and by the year, quarterly taxes."""

from collections.abc import Iterator
from datetime import date, timedelta

from capstack.demo.entry import cents, dice, entry
from capstack.demo.story import Story
from capstack.demo.workdays import months_between, on_or_after
from ledger.domain.event import EventDraft

RENT, RENT_AFTER_INCREASE, INCREASE_AFTER_MONTHS = 15_800.0, 16_500.0, 9.0
HEALTH_INSURANCE_PER_HEAD = 640.0
INSURED_AT_START, INSURED_PER_MONTH = 23, 0.42
STATE_TAX = 2_350.0

# (vendor, monthly price, day of the month)
MONTHLY = (
    ("GitHub", 1_134.0, 2), ("Datadog", 2_860.0, 4), ("Slack", 512.0, 5), ("Google Workspace", 738.0, 1),
    ("Linear", 296.0, 7), ("Figma", 405.0, 8), ("Notion", 324.0, 9), ("Zoom", 268.0, 10), ("HubSpot", 1_480.0, 11),
    ("Intercom", 979.0, 12), ("Sentry", 442.0, 13), ("PagerDuty", 369.0, 14), ("Cloudflare", 250.0, 15),
    ("1Password", 240.0, 16), ("Vercel", 380.0, 17), ("Loom", 150.0, 18), ("Grammarly", 174.0, 19),
    ("Calendly", 128.0, 20), ("Ramp Plus", 135.0, 21), ("Postman", 203.0, 22), ("Snyk", 490.0, 23),
    ("Segment", 640.0, 24), ("Carta", 575.0, 25),
)  # fmt: skip
# (vendor, yearly price, days before today of its last bill)
YEARLY = (
    ("Okta", 9_360.0, 292),
    ("Salesforce", 18_400.0, 331),
    ("Vanta", 12_750.0, 148),
    ("Snowflake", 26_000.0, 226),
)
PRICE_RISE_PER_YEAR = 0.03


def vendors(story: Story) -> Iterator[EventDraft]:
    for month in months_between(story.first_day, story.today):
        yield from _monthly(story, month)
        if month.month in {1, 4, 7, 10}:
            yield _bank_bill(
                on_or_after(month.replace(day=20)), STATE_TAX, category="tax", payee="NY State", ref="state-tax"
            )
    for vendor, price, days_ago in YEARLY:
        last = story.today - timedelta(days=days_ago)
        yield _software(vendor, price, last)
        yield _software(vendor, price / (1 + PRICE_RISE_PER_YEAR), last - timedelta(days=365))


def renewals(story: Story) -> list[dict[str, str]]:
    """Yearly bills to come, for the plan."""
    return [
        {
            "vendor": vendor,
            "date": (story.today + timedelta(days=365 - days_ago)).isoformat(),
            "amount": str(cents(price * (1 + PRICE_RISE_PER_YEAR))),
        }
        for vendor, price, days_ago in YEARLY
    ]


def _monthly(story: Story, month: date) -> Iterator[EventDraft]:
    elapsed = story.months_since_start(month)
    rent = RENT if elapsed < INCREASE_AFTER_MONTHS else RENT_AFTER_INCREASE
    insured = round(INSURED_AT_START + INSURED_PER_MONTH * max(elapsed, 0))
    yield _bank_bill(on_or_after(month), rent, category="rent", payee="Mercer Street Offices", ref="rent")
    yield _bank_bill(
        on_or_after(month.replace(day=6)),
        insured * HEALTH_INSURANCE_PER_HEAD,
        category="insurance",
        payee="Empire Health",
        ref="health",
    )
    rng = dice(f"software {month}")
    for vendor, price, day_of_month in MONTHLY:
        # Seats and usage move the bill a little; the list price rises with the years.
        moved = price * (1 + PRICE_RISE_PER_YEAR * elapsed / 12) * float(rng.lognormal(0.0, 0.02))
        yield _software(vendor, moved, month.replace(day=day_of_month))


def _software(vendor: str, price: float, day: date) -> EventDraft:
    return entry(
        day=day,
        hour=3,
        source="card",
        event_type="expense",
        amount=cents(price),
        account="card",
        category="saas",
        counterparty=vendor,
        ref=f"{vendor.lower().replace(' ', '-')}-{day}",
    )


def _bank_bill(day: date, amount: float, *, category: str, payee: str, ref: str) -> EventDraft:
    return entry(
        day=day,
        hour=10,
        source="bank",
        event_type="expense",
        amount=cents(amount),
        account="bank",
        category=category,
        counterparty=payee,
        ref=f"{ref}-{day}",
    )
