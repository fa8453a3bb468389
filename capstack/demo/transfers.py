"""Money between the company's own accounts: payouts, card settlements, exchange. Neither burn nor income."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from capstack.demo.entry import entry
from capstack.demo.story import CURRENCY, ZONE, Story
from capstack.demo.workdays import months_between, next_month, on_or_after, on_or_before
from ledger.domain.event import EventDraft

# (currency, day) -> US dollars per unit.
Rates = Callable[[str, date], Decimal]
CENT = Decimal("0.01")
EXCHANGE_SPREAD = Decimal("1.006")
EXCHANGE_DAY = 24
SETTLEMENT_DAY = 5


def transfers(story: Story, drafts: Sequence[EventDraft], rates: Rates) -> Iterator[EventDraft]:
    """Both legs of every movement that the other events cause, as each account's own feed shows them."""
    yield from _payouts(story, drafts)
    yield from _settlements(story, drafts)
    for currency, account in (("GBP", "bank-gbp"), ("EUR", "bank-eur")):
        yield from _exchanges(story, drafts, rates, currency, account)


def local_day(draft: EventDraft) -> date:
    """The day of an event in the company's calendar."""
    assert draft.occurred_at is not None
    return draft.occurred_at.astimezone(ZONE).date()


def signed(draft: EventDraft) -> Decimal:
    """Cash in > 0, cash out < 0; a vendor credit moves none."""
    if draft.event_type == "credit":
        return Decimal(0)
    return draft.amount if draft.flow == "in" else -draft.amount


def _payouts(story: Story, drafts: Iterable[EventDraft]) -> Iterator[EventDraft]:
    """Every Tuesday Stripe pays out the week that ended on Sunday."""
    by_week: dict[date, Decimal] = defaultdict(Decimal)
    for draft in drafts:
        if draft.account == "stripe":
            day = local_day(draft)
            by_week[day - timedelta(days=day.weekday())] += signed(draft)
    for monday, total in sorted(by_week.items()):
        paid = on_or_after(monday + timedelta(days=8))
        if paid < story.today and total > 0:
            yield from _legs(paid, total, "payout", ("stripe", "stripe"), ("bank", "bank"), f"po_{monday:%Y%m%d}")


def _settlements(story: Story, drafts: Iterable[EventDraft]) -> Iterator[EventDraft]:
    """On the fifth the bank pays the card's month before."""
    by_month: dict[date, Decimal] = defaultdict(Decimal)
    for draft in drafts:
        if draft.account == "card":
            by_month[local_day(draft).replace(day=1)] -= signed(draft)
    for month, total in sorted(by_month.items()):
        paid = on_or_after(next_month(month).replace(day=SETTLEMENT_DAY))
        if paid < story.today and total > 0:
            yield from _legs(
                paid, total, "card_settlement", ("bank", "bank"), ("card", "card"), f"card-{month:%Y-%m}"
            )


def _exchanges(
    story: Story, drafts: Iterable[EventDraft], rates: Rates, currency: str, account: str
) -> Iterator[EventDraft]:
    """On the 24th dollars are exchanged for what the foreign account pays until the next time."""
    payments = [(local_day(draft), draft.amount) for draft in drafts if draft.account == account]
    for month in months_between(story.first_day, story.today):
        day = on_or_before(month.replace(day=EXCHANGE_DAY))
        until = on_or_before(next_month(month).replace(day=EXCHANGE_DAY))
        needed = sum((amount for paid, amount in payments if day < paid <= until), Decimal(0))
        if not needed or not story.first_day <= day < story.today:
            continue
        rate = rates(currency, day)
        dollars = (needed * rate * EXCHANGE_SPREAD).quantize(CENT)
        ref = f"wise-{currency.lower()}-{day:%Y-%m}"
        noted = {"to": currency, "rate": str(rate)}
        yield _leg(day, dollars, "out", "fx_transfer", ("bank", "bank"), ref, CURRENCY, noted)
        yield _leg(day, needed, "in", "fx_transfer", ("bank", account), ref, currency, {"from": CURRENCY})


def _legs(
    day: date, amount: Decimal, category: str, out: tuple[str, str], into: tuple[str, str], ref: str
) -> Iterator[EventDraft]:
    yield _leg(day, amount, "out", category, out, ref, CURRENCY, {})
    yield _leg(day, amount, "in", category, into, ref, CURRENCY, {})


def _leg(
    day: date,
    amount: Decimal,
    direction: str,
    category: str,
    place: tuple[str, str],
    ref: str,
    currency: str,
    metadata: dict[str, str],
) -> EventDraft:
    source, account = place
    return entry(
        day=day,
        hour=8 if direction == "out" else 9,
        source=source,
        event_type="transfer",
        direction=direction,
        amount=amount,
        currency=currency,
        account=account,
        category=category,
        counterparty="Own account",
        ref=f"{ref}-{direction}",
        metadata=metadata,
    )
