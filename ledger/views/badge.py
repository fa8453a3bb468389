"""An account's badge in words: fresh or silent, reconciled or broken, and what is missing."""

from dataclasses import dataclass
from datetime import date

from ledger.selectors.account_books import AccountBook
from ledger.templatetags.amounts import day_date, days


@dataclass(frozen=True, slots=True)
class Sign:
    """One statement of a badge. State: good, warn, bad or unknown; the text says it without colour."""

    state: str
    text: str


def badge(book: AccountBook, *, today: date) -> tuple[Sign, ...]:
    """Return what a badge says, freshness first."""
    return (_freshness(book, today), *_reconciled(book, today), *_missing(book, today))


def _freshness(book: AccountBook, today: date) -> Sign:
    habits = book.rhythm
    if habits.last_day is None:
        return Sign("unknown", "no events yet")
    last = day_date(habits.last_day, today)
    if habits.state == "fresh":
        return Sign("good", f"fresh, last event {last}")
    usual = f"usually at most {days(habits.usual_quiet_days)}"
    if habits.state == "late":
        return Sign("warn", f"late: quiet for {days(habits.quiet_days)}, {usual}")
    return Sign("bad", f"silent since {last}, {usual}")


def _reconciled(book: AccountBook, today: date) -> tuple[Sign, ...]:
    held = book.reconciliation
    if held is None:
        return (Sign("unknown", "no balance stated, so nothing is reconciled"),)
    until = day_date(held.reconciled_to, today)
    if held.first_break is not None:
        return (Sign("bad", f"reconciled up to {until}, broken on {day_date(held.first_break.day, today)}"),)
    if not held.comparisons:
        return (Sign("unknown", f"opened on {until}, nothing stated since"),)
    return (Sign("good", f"reconciled up to {until}"),)


def _missing(book: AccountBook, today: date) -> tuple[Sign, ...]:
    signs = [
        Sign("warn", f"{feed.source} has been silent for {days(feed.quiet_days)}") for feed in book.silent_feeds
    ]
    gaps = book.rhythm.gaps
    if gaps:
        last = gaps[-1]
        told = f"{day_date(last.first, today)} to {day_date(last.last, today)}"
        signs.append(
            Sign("warn", f"no events {told}" + (f" and {len(gaps) - 1} more gaps" if len(gaps) > 1 else ""))
        )
    return tuple(signs)
