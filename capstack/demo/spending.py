"""What no calendar tells: the company card, contractors, and the large bills that come now and then."""

from collections.abc import Iterator
from datetime import timedelta

from capstack.demo.entry import cents, dice, entry
from capstack.demo.story import Story
from capstack.demo.workdays import is_workday, months_between, on_or_after
from ledger.domain.event import EventDraft

MERCHANTS = (
    "Blue Bottle", "Delta", "Uber", "Amtrak", "Staples", "WeWork Day Pass", "Trader Joe's", "Best Buy", "Hilton",
    "Sweetgreen", "FedEx", "United", "Lyft", "Home Depot", "Postmates", "Apple",
)  # fmt: skip
PURCHASES_PER_WORKDAY, PURCHASES_PER_FREE_DAY = 2.6, 0.5
CONTRACTORS = (("Ines Duarte Design", 4_300.0), ("Bowline Copywriting", 2_700.0), ("N. Adeyemi SRE", 6_200.0))
LARGE_BILLS = (
    ("Whitlock & Crane LLP", 7_800.0), ("Northstar Recruiting", 16_500.0), ("Dell Business", 9_200.0),
    ("SaaStr Booth", 12_400.0), ("Audit Partners", 14_800.0), ("Offsite Lodge", 8_900.0),
)  # fmt: skip
LARGE_BILLS_PER_MONTH = 1.0


def spending(story: Story) -> Iterator[EventDraft]:
    yield from _card(story)
    yield from _contractors(story)
    yield from _large_bills(story)


def _card(story: Story) -> Iterator[EventDraft]:
    rng = dice("card")
    for offset in range((story.today - story.first_day).days):
        day = story.first_day + timedelta(days=offset)
        expected = PURCHASES_PER_WORKDAY if is_workday(day) else PURCHASES_PER_FREE_DAY
        for number in range(int(rng.poisson(expected))):
            yield entry(
                day=day,
                hour=int(rng.integers(7, 22)),
                source="card",
                event_type="expense",
                amount=cents(float(rng.lognormal(3.9, 1.0))),
                account="card",
                category="card",
                counterparty=str(rng.choice(MERCHANTS)),
                ref=f"purchase-{day:%Y%m%d}-{number:02}",
            )


def _contractors(story: Story) -> Iterator[EventDraft]:
    rng = dice("contractors")
    for month in months_between(story.first_day, story.today):
        for name, usual in CONTRACTORS:
            day = on_or_after(month + timedelta(days=int(rng.integers(4, 27))))
            worked = rng.random() < 0.85
            amount = cents(usual * float(rng.lognormal(0.0, 0.25)))
            if worked:
                yield entry(
                    day=day,
                    hour=15,
                    source="bank",
                    event_type="expense",
                    amount=amount,
                    account="bank",
                    category="contractor",
                    counterparty=name,
                    ref=f"invoice-{name.split()[0].lower()}-{month:%Y-%m}",
                )


def _large_bills(story: Story) -> Iterator[EventDraft]:
    rng = dice("large bills")
    for month in months_between(story.first_day, story.today):
        for number in range(int(rng.poisson(LARGE_BILLS_PER_MONTH))):
            name, usual = LARGE_BILLS[int(rng.integers(len(LARGE_BILLS)))]
            day = on_or_after(month + timedelta(days=int(rng.integers(0, 27))))
            yield entry(
                day=day,
                hour=16,
                source="bank",
                event_type="expense",
                amount=cents(usual * float(rng.lognormal(0.0, 0.3))),
                account="bank",
                category="one_off",
                counterparty=name,
                ref=f"wire-{month:%Y-%m}-{number:02}",
            )
