"""The answer to the one question: how long do we have, and how sure are we.

Which number leads depends on what the forecast knows. A determined one leads with the middle and its 90 %
interval; one that is not leads with what is nearly certain (p5) and the odds of lasting; one without an end says
so.
"""

from dataclasses import dataclass

from forecasting.views.projection import NewMoney, Projection, RunoutDay
from ledger.templatetags.amounts import day_date, days, money_text, odds

NAMES = {"free": "Free cash", "bank": "Bank cash"}
SHOWN_TRANCHES = 2


@dataclass(frozen=True, slots=True)
class Headline:
    """The lines of the answer, from the largest to the smallest.

    Attributes:
        eyebrow: leads into `big`; `big` is the number; `beside` its date.
        sure: how sure, as (text, is_strong) pieces.
        besides: what the answer depends on, one line each.
        spoken: the same in one sentence, for a window title's reader and for the announcement of an update.
        term: the note that explains what kind of number leads: `median`, `cautious`, `beyond` or `spent`.
    """

    eyebrow: str
    big: str
    beside: str
    sure: tuple[tuple[str, bool], ...]
    besides: tuple[str, ...]
    spoken: str
    term: str


def headline(projection: Projection) -> Headline:
    if projection.balance <= 0:
        return _spent(projection)
    if projection.p5.is_beyond_horizon:
        return _beyond(projection)
    return _determined(projection) if projection.determined else _cautious(projection)


def _determined(projection: Projection) -> Headline:
    p50 = projection.p50
    around = f"around {_date(projection, p50)}"
    sure = (
        ("90 % sure between ", False),
        (days(projection.p5.days), True),
        (f" ({_date(projection, projection.p5)}) and ", False),
        *_upper(projection, beyond="beyond a year"),
    )
    return Headline(
        eyebrow=f"{NAMES[projection.basis]} runs out in",
        big=days(p50.days),
        beside=around,
        sure=sure,
        besides=_besides(projection),
        spoken=f"{NAMES[projection.basis]} runs out in {days(p50.days)}, {around}; {_plain(sure)}.",
        term="median",
    )


def _cautious(projection: Projection) -> Headline:
    p5, p50 = projection.p5, projection.p50
    until = f"until {_date(projection, p5)}"
    last = odds(1 - _share_out(projection))
    sure: tuple[tuple[str, bool], ...] = (("95 % sure. ", False), (f"{last} to last the year", True))
    if p50.is_beyond_horizon:
        sure = (*sure, (". In half of all futures cash is never used up within it", False))
    else:
        sure = (
            *sure,
            (". The middle of all futures is ", False),
            (days(p50.days), True),
            (f" ({_date(projection, p50)}), and one in twenty lasts past ", False),
            *_upper(projection, beyond="a year"),
        )
    return Headline(
        eyebrow=f"{NAMES[projection.basis]} lasts at least",
        big=days(p5.days),
        beside=until,
        sure=sure,
        besides=_besides(projection),
        spoken=f"{NAMES[projection.basis]} lasts at least {days(p5.days)}, {until}; {_plain(sure)}.",
        term="cautious",
    )


def _beyond(projection: Projection) -> Headline:
    horizon = projection.horizon_days
    last = odds(1 - _share_out(projection))
    sure = ((f"{last} of all futures", True), (f" still have cash on {_horizon_end(projection)}", False))
    return Headline(
        eyebrow=f"{NAMES[projection.basis]} does not run out",
        big=f"within {days(horizon)}",
        beside=f"not before {_horizon_end(projection)}",
        sure=sure,
        besides=_besides(projection),
        spoken=f"{NAMES[projection.basis]} does not run out within the next {days(horizon)}; {_plain(sure)}.",
        term="beyond",
    )


def _spent(projection: Projection) -> Headline:
    amount = money_text(projection.balance, projection.currency)
    # How much is in bank is another figure of the page; there may be nothing either.
    other = "Whatever is still in bank is owed to others." if projection.basis == "free" else ""
    sure = ((other or "Nothing is left to pay the next bill with.", False),)
    return Headline(
        eyebrow=f"{NAMES[projection.basis]} has run out",
        big=amount,
        beside=f"on {day_date(projection.as_of, projection.today)}",
        sure=sure,
        besides=(),
        spoken=f"{NAMES[projection.basis]} has run out: {amount}. {_plain(sure)}",
        term="spent",
    )


def _upper(projection: Projection, *, beyond: str) -> tuple[tuple[str, bool], ...]:
    p95 = projection.p95
    if p95.is_beyond_horizon:
        return ((beyond, True),)
    return ((days(p95.days), True), (f" ({_date(projection, p95)})", False))


def _besides(projection: Projection) -> tuple[str, ...]:
    """How the answer forks with each piece of new money. What comes too late to matter makes no fork."""
    lines = []
    for money in projection.new_money[:SHOWN_TRANCHES]:
        with_it, without_it = money.received[1], money.not_received[1]
        if with_it != without_it:
            name = _named(money, projection)
            lines.append(f"{span(with_it)} if {name} comes, {span(without_it)} if it does not")
    return tuple(lines)


def _named(money: NewMoney, projection: Projection) -> str:
    """`Tranche: pilot signed` -> `the tranche “pilot signed”`; one of several without a milestone by its date."""
    _, _, milestone = money.label.partition(": ")
    if milestone:
        return f"the tranche “{milestone}”"
    if len(projection.new_money) > 1:
        return f"the tranche of {day_date(money.date, projection.today)}"
    return "the tranche"


def span(quantile: RunoutDay) -> str:
    """`118 days`, or `over 365 days` beyond the horizon."""
    return f"over {days(quantile.days)}" if quantile.is_beyond_horizon else days(quantile.days)


def _share_out(projection: Projection) -> float:
    """The share of futures that end within the horizon: stated exactly, or else read off the quantiles."""
    within = sum(1 for quantile in projection.quantile_days if quantile is not None) / 100
    return dict(projection.zero_by).get(projection.horizon_days, within)


def _date(projection: Projection, quantile: RunoutDay) -> str:
    return day_date(quantile.day, projection.today) if quantile.day else f"after {_horizon_end(projection)}"


def _horizon_end(projection: Projection) -> str:
    return day_date(projection.day(projection.horizon_days), projection.today)


def _plain(pieces: tuple[tuple[str, bool], ...]) -> str:
    return "".join(text for text, _ in pieces)
