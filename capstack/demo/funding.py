"""The round: a first tranche that came late, and a second one that may come."""

from collections.abc import Iterator

from capstack.demo.entry import entry
from capstack.demo.story import FIRST_TRANCHE, TRANCHE_DELAY_DAYS, Story
from ledger.domain.event import EventDraft


def funding(story: Story) -> Iterator[EventDraft]:
    yield entry(
        day=story.first_tranche_arrived,
        hour=11,
        source="bank",
        event_type="income",
        amount=FIRST_TRANCHE,
        account="bank",
        category="funding",
        counterparty="Meridian Ventures",
        ref="wire-series-b-1",
        metadata={
            "tranche": "Series B, first",
            "planned": story.first_tranche_planned.isoformat(),
            "days_late": TRANCHE_DELAY_DAYS,
        },
    )
