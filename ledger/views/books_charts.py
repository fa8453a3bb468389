"""The charts of the books: each as a figure, as a table, and as a sentence for who does not see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from html import escape
from typing import Any

from ledger.domain.credit_grant import CreditGrantCurve
from ledger.domain.month import months_after
from ledger.selectors.cash_days import CashDay
from ledger.selectors.cloud_costs import CloudMonth, first_cloud_month
from ledger.selectors.company_books import Unearned
from ledger.selectors.credits_on_day import Credits
from ledger.selectors.fx_months import FxYear
from ledger.templatetags.amounts import MONTHS, day_date, exact_text, money_text
from ledger.views.chart import CLEAR, MONTHS_FORMAT, chart_layout

ONE_DAY = timedelta(days=1)
MID_MONTH = timedelta(days=14)
ZERO = Decimal(0)
TICKS_OF_SMALL_CHART = 4
# Over fewer days than these several ticks would fall into one month.
MONTHS_FROM_DAYS = 150
DAYS_FORMAT = "%-d %b"
# Shades of one colour, as many as there are; more grants than these repeat them, and the table tells them apart.
SHADES = ("var(--chart-median)", "var(--chart-band50)", "var(--chart-today)", "var(--chart-band90)")


@dataclass(frozen=True, slots=True)
class Chart:
    """Attributes:
    key: unique on its page; ids are made of it.
    summary: what it shows, in words.
    figure: `{data, layout, marks}` for static/js/chart.js.
    legend: class of the swatch, and what it stands for.
    caption, headings, rows: the same as a table; each row begins with its heading.
    """

    key: str
    label: str
    summary: str
    figure: dict[str, Any]
    legend: tuple[tuple[str, str], ...]
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def month_text(month: date) -> str:
    """`Jun 2026`."""
    return f"{MONTHS[month.month - 1]}\N{NO-BREAK SPACE}{month.year}"


def cash_chart(moved: Sequence[CashDay], *, first_day: date, day: date, currency: str) -> Chart:
    """Money in above the zero line, money out below it, a bar a day."""
    money_in, money_out = sum(each.money_in for each in moved), sum(each.money_out for each in moved)
    days = [each.day.isoformat() for each in moved]
    ins, outs = [float(each.money_in) for each in moved], [-float(each.money_out) for each in moved]
    return Chart(
        key="cash-days",
        label="Cash in and out, day by day",
        summary=(
            f"From {day_date(first_day, day)} to {day_date(day)} {money_text(money_in, currency)} came in and"
            f" {money_text(money_out, currency)} went out, on {len(moved)} days."
        ),
        figure=_figure(
            [
                _bars("in", days, ins, colour="var(--good)", currency=currency),
                _bars("out", days, outs, colour="var(--chart-actual)", currency=currency),
            ],
            start=first_day - ONE_DAY,
            end=day + ONE_DAY,
            heights=[*ins, *outs],
            currency=currency,
        ),
        legend=(("swatch chart-in", "in"), ("swatch chart-actual", "out")),
        caption=f"Cash in and out in {currency}, as converted when recorded, without own transfers.",
        headings=("Day", "In", "Out"),
        rows=tuple(
            (day_date(each.day, day), exact_text(each.money_in, currency), exact_text(-each.money_out, currency))
            for each in reversed(moved)
        ),
    )


def unearned_chart(unearned: Unearned, *, day: date, currency: str) -> Chart:
    """What is owed in service running down, and what each month earns of it."""
    months = unearned.months
    ends = [min(months_after(each.month, 1), months_after(months[-1].month, 1)) - ONE_DAY for each in months]
    middles = [(max(each.month, day.replace(day=1)) + MID_MONTH).isoformat() for each in months]
    owed = [float(unearned.over_days), *(float(each.unearned) for each in months)]
    earned = [float(each.earned) for each in months]
    gone = months[-1]
    return Chart(
        key="unearned",
        label="Unearned revenue, month by month",
        summary=(
            f"{money_text(unearned.over_days, currency)} are unearned at the end of {day_date(day)}."
            f" {money_text(months[0].earned, currency)} of it are earned in {month_text(months[0].month)},"
            f" the last of it in {month_text(gone.month)}."
        ),
        figure=_figure(
            [
                _bars("earned", middles, earned, colour="var(--chart-band50)", currency=currency),
                {
                    "type": "scatter",
                    "name": "unearned",
                    "mode": "lines",
                    "x": [day.isoformat(), *(end.isoformat() for end in ends)],
                    "y": owed,
                    "customdata": [money_text(value, currency) for value in owed],
                    "line": {"color": "var(--chart-median)", "width": 2.25},
                    "hovertemplate": "end of %{x|%-d %b %Y}<br>still unearned %{customdata}<extra></extra>",
                },
            ],
            start=day.replace(day=1),
            end=ends[-1] + ONE_DAY,
            heights=[*owed, *earned],
            currency=currency,
            marks=[_day_mark(day, start=day.replace(day=1), end=ends[-1] + ONE_DAY)],
        ),
        legend=(
            ("swatch swatch-line chart-median", "still unearned"),
            ("swatch chart-band50", "earned in the month"),
        ),
        caption=f"What will be earned in {currency} from money that is there by {day_date(day)}.",
        headings=("Month", "Earned", "Still unearned at its end"),
        rows=tuple(
            (month_text(each.month), exact_text(each.earned, currency), exact_text(each.unearned, currency))
            for each in months
        ),
    )


def credits_chart(granted: Credits, *, currency: str) -> Chart:
    """Each grant's draw-down on top of each other: a slope where it is used, a cliff where it lapses."""
    curves = granted.curves
    start, end = curves[0].days[0], curves[0].days[-1]
    lines = [(curve, line) for curve in curves for line in curve.grants]
    heights = [float(sum((curve.remaining[at] for curve in curves), ZERO)) for at in range(len(curves[0].days))]
    steps = [at for at in range(len(curves[0].days)) if _changes(curves, at)]
    traces = []
    for number, (curve, line) in enumerate(lines):
        left = [float(line.remaining[at]) for at in steps]
        name = f"{curve.provider}, until {day_date(line.expires_on)}"
        # plotly.js reads texts as a little HTML; what people wrote in a plan is text.
        shown = escape(name, quote=False)
        traces.append(
            {
                "type": "scatter",
                "name": name,
                "mode": "lines",
                "stackgroup": "grants",
                "x": [curve.days[at].isoformat() for at in steps],
                "y": left,
                "customdata": [[shown, money_text(value, currency)] for value in left],
                "line": {"color": SHADES[number % len(SHADES)], "width": 1.5, "shape": "hv"},
                "hovertemplate": "%{customdata[0]}: %{customdata[1]}<extra></extra>",
            }
        )
    marks = [
        _day_mark(granted.day, start=start, end=end),
        *(
            _mark(
                grant.expires_on,
                start=start,
                end=end,
                text=f"{money_text(grant.lapses, currency)} of {grant.provider} lapse",
                short=f"{grant.provider} lapses",
                colour="var(--warn)",
                dash="3px,3px",
            )
            for grant in granted.grants
            if grant.lapses and granted.day < grant.expires_on < end
        ),
    ]
    return Chart(
        key="credits",
        label="Cloud credits, grant by grant",
        summary=" ".join(
            [
                f"At the end of {day_date(granted.day)} {money_text(granted.remaining, currency)} are left.",
                *(
                    f"{money_text(grant.lapses, currency)} of {grant.provider} lapse after"
                    f" {day_date(grant.expires_on)} if nothing more is used."
                    for grant in granted.grants
                    if grant.lapses and grant.expires_on > granted.day
                ),
            ]
        ),
        figure=_figure(traces, start=start, end=end, heights=heights, currency=currency, marks=marks),
        legend=tuple(
            (f"swatch chart-shade{number % len(SHADES)}", f"{curve.provider}, until {day_date(line.expires_on)}")
            for number, (curve, line) in enumerate(lines)
        ),
        caption=f"What is left at the end of a month in {currency}; months to come as if nothing more were used.",
        headings=("End of", *(f"{curve.provider}, until {day_date(line.expires_on)}" for curve, line in lines)),
        rows=tuple(
            (
                month_text(curves[0].days[at]),
                *(exact_text(line.remaining[at], currency) for _, line in lines),
            )
            for at in range(len(curves[0].days))
            if (curves[0].days[at] + ONE_DAY).day == 1 or at == len(curves[0].days) - 1
        ),
    )


def _changes(curves: Sequence[CreditGrantCurve], at: int) -> bool:
    if at in (0, len(curves[0].days) - 1):
        return True
    return any(line.remaining[at] != line.remaining[at - 1] for curve in curves for line in curve.grants)


def cloud_chart(months: Sequence[CloudMonth], *, day: date, currency: str) -> Chart:
    """How each month of the cloud was paid: by credits or in cash; what bills charged beside it."""
    names = sorted({each.month for each in months})
    credited = [_of_month(months, month, "credited") for month in names]
    paid = [_of_month(months, month, "paid") for month in names]
    charged = [_of_month(months, month, "charged") for month in names]
    middles = [(month + MID_MONTH).isoformat() for month in names]
    traces = [
        _bars("by credits", middles, credited, colour="var(--chart-band50)", currency=currency),
        _bars("in cash", middles, paid, colour="var(--chart-actual)", currency=currency),
    ]
    legend = [("swatch chart-band50", "paid by credits"), ("swatch chart-actual", "paid in cash")]
    if any(charged):
        traces.append(
            {
                "type": "scatter",
                "name": "charged",
                "mode": "markers",
                "x": middles,
                "y": charged,
                "customdata": [money_text(value, currency) for value in charged],
                "marker": {"size": 9, "color": "var(--chart-median)", "symbol": "diamond"},
                "hovertemplate": "charged by bills %{customdata}<extra></extra>",
            }
        )
        legend.append(("swatch chart-median", "charged by imported bills"))
    stacked = [one + other for one, other in zip(credited, paid, strict=True)]
    last = names[-1]
    return Chart(
        key="cloud",
        label="Cloud, by month",
        summary=(
            f"In {month_text(last)} {money_text(credited[-1], currency)} were paid by credits and"
            f" {money_text(paid[-1], currency)} in cash."
        ),
        figure=_figure(
            traces,
            start=first_cloud_month(day),
            end=months_after(day.replace(day=1), 1),
            heights=[*stacked, *charged, *credited, *paid],
            currency=currency,
        ),
        legend=tuple(legend),
        caption=f"Per provider and month in {currency}. A bill and its payment are one cost: do not add them.",
        headings=("Month", "Provider", "Charged by bills", "Paid by credits", "Paid in cash"),
        rows=tuple(
            (
                month_text(each.month),
                each.provider,
                exact_text(each.charged, currency),
                exact_text(each.credited, currency),
                exact_text(each.paid, currency),
            )
            for each in months
        ),
    )


def _of_month(months: Sequence[CloudMonth], month: date, name: str) -> float:
    return float(sum((getattr(each, name) for each in months if each.month == month), ZERO))


def fx_chart(year: FxYear, *, currency: str) -> Chart:
    """Realised gains a bar a month, unrealised ones as a line over the months' ends."""
    middles = [(each.month + MID_MONTH).isoformat() for each in year.months]
    realised = [float(each.realised) for each in year.months]
    unrealised = [float(each.unrealised) for each in year.months]
    return Chart(
        key="fx",
        label="Exchange gains by month",
        summary=(
            f"Since {month_text(year.months[0].month)} {money_text(year.realised, currency, signed=True)} were"
            f" realised; {money_text(year.unrealised, currency, signed=True)} are unrealised now."
        ),
        figure=_figure(
            [
                _bars("realised", middles, realised, colour="var(--chart-actual)", currency=currency),
                {
                    "type": "scatter",
                    "name": "unrealised",
                    "mode": "lines+markers",
                    "x": middles,
                    "y": unrealised,
                    "customdata": [money_text(value, currency, signed=True) for value in unrealised],
                    "line": {"color": "var(--chart-median)", "width": 2},
                    "marker": {"size": 6, "color": "var(--chart-median)"},
                    "hovertemplate": "unrealised %{customdata}<extra></extra>",
                },
            ],
            start=year.months[0].month,
            end=months_after(year.months[-1].month, 1),
            heights=[*realised, *unrealised],
            currency=currency,
        ),
        legend=(
            ("swatch chart-actual", "realised"),
            ("swatch swatch-line chart-median", "unrealised, at its end"),
        ),
        caption=f"Gains in {currency}, losses below zero. They are no cash flow and no part of burn.",
        headings=("Month", "Realised", "Unrealised at its end"),
        rows=tuple(
            (month_text(each.month), exact_text(each.realised, currency), exact_text(each.unrealised, currency))
            for each in reversed(year.months)
        ),
    )


def _figure(
    traces: list[dict[str, Any]],
    *,
    start: date,
    end: date,
    heights: Sequence[float],
    currency: str,
    marks: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    top, bottom = max([*heights, 0.0]), min([*heights, 0.0])
    room = (top - bottom or 1.0) * 0.06
    layout = chart_layout(
        start=start.isoformat(),
        end=end.isoformat(),
        low=bottom - room if bottom < 0 else 0.0,
        high=top + room,
        currency=currency,
        ticks_at_most=TICKS_OF_SMALL_CHART,
        tick_format=DAYS_FORMAT if (end - start).days < MONTHS_FROM_DAYS else MONTHS_FORMAT,
    )
    zero = {
        "type": "scatter",
        "name": "zero",
        "mode": "lines",
        "x": [start.isoformat(), end.isoformat()],
        "y": [0, 0],
        "line": {"color": "var(--line-strong)", "width": 1},
        "hoverinfo": "skip",
    }
    return {
        "data": [*traces, zero],
        "layout": {**layout, "barmode": "relative", "bargap": 0.35},
        "marks": [*marks],
    }


def _bars(name: str, days: list[str], heights: list[float], *, colour: str, currency: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "x": days,
        "y": heights,
        "customdata": [money_text(value, currency) for value in heights],
        "marker": {"color": colour, "line": {"width": 0, "color": CLEAR}},
        "hovertemplate": f"{name} %{{customdata}}<extra></extra>",
    }


def _day_mark(day: date, *, start: date, end: date) -> dict[str, Any]:
    text = day_date(day)
    return _mark(day, start=start, end=end, text=text, short=text, colour="var(--chart-today)", dash="solid")


def _mark(day: date, *, start: date, end: date, text: str, short: str, colour: str, dash: str) -> dict[str, Any]:
    at = (day - start).days / max((end - start).days, 1)
    return {"x0": day.isoformat(), "at": at, "text": text, "short": short, "colour": colour, "dash": dash}
