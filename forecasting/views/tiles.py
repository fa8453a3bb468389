"""The four figures under the chart. Each says only what the forecast contains."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from forecasting.views.odds import odds_of_lasting_past
from forecasting.views.projection import Projection
from ledger.templatetags.amounts import day_date, money, odds

PAYROLL = "payroll"
PAYROLL_AHEAD_DAYS = 100


@dataclass(frozen=True, slots=True)
class Tile:
    """`figure` and `aside` may be markup with the exact amount inside; `term` names the note that explains it."""

    label: str
    figure: str | SafeString
    aside: str | SafeString = ""
    term: str = ""


def tiles(projection: Projection, *, other_balance: Decimal | None) -> tuple[Tile, ...]:
    """`other_balance` is today's balance on the other basis, None when it is not known."""
    found = (
        _balance(projection, other_balance=other_balance),
        _burn(projection),
        _year_end(projection),
        _payrolls(projection),
    )
    return tuple(tile for tile in found if tile is not None)


def _balance(projection: Projection, *, other_balance: Decimal | None) -> Tile:
    currency = projection.currency
    aside: str | SafeString = ""
    if other_balance is not None:
        words = "of {} in bank" if projection.basis == "free" else "{} of it free"
        aside = format_html(words, money(other_balance, currency))
    label = "Free cash" if projection.basis == "free" else "Bank cash"
    return Tile(label=label, figure=money(projection.balance, currency), aside=aside, term=projection.basis)


def _burn(projection: Projection) -> Tile:
    mean, currency = projection.burn_mean_per_day, projection.currency
    spread = format_html("a day ± {}", money(projection.burn_std_per_day, currency))
    if mean < 0:
        return Tile(label="Net income", figure=money(-mean, currency), aside=spread, term="burn")
    return Tile(label="Net burn", figure=money(mean, currency), aside=spread, term="burn")


def _year_end(projection: Projection) -> Tile | None:
    if projection.year_end is None:
        return None
    day, share = projection.year_end
    return Tile(label=f"Cash lasts past {day_date(day, projection.today)}", figure=odds(share), term="odds")


def _payrolls(projection: Projection) -> Tile | None:
    """Cash outlasts the last payroll of the coming quarter, so it covers that one and every one before it."""
    until = projection.day(PAYROLL_AHEAD_DAYS)
    payrolls = [event.date for event in projection.next_events if event.kind == PAYROLL and event.date <= until]
    if not payrolls:
        return None
    last = max(payrolls)
    share = odds_of_lasting_past(projection, days=(last - projection.as_of).days)
    if share is None:
        return None
    label = "Payroll of {} covered" if len(payrolls) == 1 else "Every payroll to {} covered"
    return Tile(label=label.format(day_date(last, projection.today)), figure=odds(share), term="odds")
