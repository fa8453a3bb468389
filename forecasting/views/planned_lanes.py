"""The lanes of what the plan states: tranches, credits, hires, open invoices, yearly bills."""

from datetime import date, timedelta

from forecasting.fit.plan import CloudCredit, PlanDocument, PlannedTranche
from forecasting.views.lane import OWN_LANES, Lane, Shape, View
from forecasting.views.ledger_lanes import LedgerLanes
from forecasting.views.plan_rows import YEAR, Facts
from ledger.templatetags.amounts import day_date, days, money_text, odds

LIKELY = (0.05, 0.95)


def likely_days(tranche: PlannedTranche) -> tuple[date, date]:
    """The days between which nine of ten such tranches come, if they come: planned day and Gamma delay."""
    from scipy.special import gammaincinv  # not at the top: only a plan with tranches need wait for it

    mean, sd = tranche.delay.mean_days, tranche.delay.sd_days
    late = gammaincinv((mean / sd) ** 2, LIKELY) * sd**2 / mean
    soon, last = (tranche.date + timedelta(days=min(float(each), 36_500.0)) for each in late)
    return soon, last


def tranche_lanes(document: PlanDocument, view: View, facts: Facts) -> tuple[Lane, ...]:
    lanes = []
    for place, each in enumerate(document.tranches):
        if f"tranches-{place}" in facts.came:
            continue
        soon, last = likely_days(each)
        expected = each.date + timedelta(days=round(each.delay.mean_days))
        money = money_text(each.amount, facts.base_currency)
        likely = f"{day_date(soon, facts.today)} and {day_date(last, facts.today)}"
        between = f"if it comes, nine times in ten between {likely}"
        shapes = []
        if last >= view.start and soon < view.end:
            shapes.append(Shape("range", "in", view.at(soon), between, width=view.wide(soon, last)))
        if view.shows(expected):
            words = f"{money}, expected about {day_date(expected, facts.today)}"
            shapes.append(Shape("dot", "in", view.at(expected), words))
        title = each.milestone or "Tranche"
        lanes.append(
            (
                each.date,
                Lane(title, f"{money}, {odds(each.probability)} likely", f"tranches-{place}", tuple(shapes)),
            )
        )
    return _few(lanes, "more tranches")


def credit_lanes(document: PlanDocument, view: View, facts: Facts, ledger: LedgerLanes | None) -> tuple[Lane, ...]:
    ends = ledger.credit_ends() if ledger else {}
    lanes = []
    for place, each in enumerate(document.cloud_credits):
        used_up = ends.get(each.provider) if _is_first(each, document) else None
        stop = min(used_up, each.expires) if used_up else each.expires
        left = facts.left.get((each.provider, each.expires), each.remaining)
        words = f"{money_text(left, facts.base_currency)} left, "
        words += (
            f"used up about {day_date(used_up, facts.today)}"
            if used_up and used_up < each.expires
            else f"expires on {day_date(each.expires, facts.today)}"
        )
        shapes = []
        if stop > facts.today:
            shapes.append(Shape("bar", "credit", view.at(facts.today), words, width=view.wide(facts.today, stop)))
        if stop < each.expires and each.expires > facts.today:
            unused = f"would expire on {day_date(each.expires, facts.today)}"
            shapes.append(Shape("range", "credit", view.at(stop), unused, width=view.wide(stop, each.expires)))
        lanes.append((each.expires, Lane(each.provider, words, f"cloud_credits-{place}", tuple(shapes))))
    return _few(lanes, "more credits")


def _is_first(credit: CloudCredit, document: PlanDocument) -> bool:
    """Whether it is the provider's first to expire, which usage draws on first."""
    return credit.expires == min(
        each.expires for each in document.cloud_credits if each.provider == credit.provider
    )


def hire_lanes(document: PlanDocument, view: View, facts: Facts) -> tuple[Lane, ...]:
    lanes = []
    for place, each in enumerate(document.planned_hires):
        money = money_text(each.monthly_gross, each.currency)
        words = f"from {day_date(each.start, facts.today)}, {money} gross a month"
        shapes = []
        if each.start < view.end:
            form = "bar" if each.confirmed else "range"
            shapes.append(Shape(form, "out", view.at(each.start), words, width=view.wide(each.start, view.end)))
        aside = f"{money} a month, {'signed' if each.confirmed else 'not signed yet'}"
        lanes.append((each.start, Lane("New hire", aside, f"planned_hires-{place}", tuple(shapes))))
    return _few(lanes, "more hires")


def invoice_lanes(document: PlanDocument, view: View, facts: Facts) -> tuple[Lane, ...]:
    waiting = [
        each
        for place, each in enumerate(document.open_receivables)
        if f"open_receivables-{place}" not in facts.came
    ]
    if not waiting:
        return ()
    total = sum(each.amount for each in waiting)
    shapes = []
    for each in waiting:
        late = (facts.today - each.due).days
        when = f"due for {days(late)}" if late > 0 else f"due {day_date(each.due, facts.today)}"
        words = f"{each.customer}, {money_text(each.amount, facts.base_currency)}, {when}"
        # What is overdue still comes, so it stands where one waits for it.
        day = max(each.due, facts.today)
        if view.shows(day):
            shapes.append(Shape("dot", "doubt" if late > 0 else "in", view.at(day), words))
    aside = f"{money_text(total, facts.base_currency)} in {len(waiting)}"
    return (Lane("Open invoices", aside, "open_receivables", tuple(shapes)),)


def bill_lanes(document: PlanDocument, view: View, facts: Facts) -> tuple[Lane, ...]:
    if not document.annual_renewals:
        return ()
    shapes = []
    for each in document.annual_renewals:
        day = each.date
        while day < facts.today:
            day += YEAR
        while view.shows(day):
            words = f"{each.vendor}, {day_date(day, facts.today)}: {money_text(each.amount, facts.base_currency)}"
            shapes.append(Shape("dot", "out", view.at(day), words))
            day += YEAR
    total = sum(each.amount for each in document.annual_renewals)
    aside = f"{money_text(total, facts.base_currency)} a year in {len(document.annual_renewals)}"
    return (Lane("Yearly bills", aside, "annual_renewals", tuple(shapes)),)


def _few(lanes: list[tuple[date, Lane]], more: str) -> tuple[Lane, ...]:
    """By date; what is beyond a screenful shares the last lane."""
    ordered = [lane for _, lane in sorted(lanes, key=lambda each: each[0])]
    if len(ordered) <= OWN_LANES:
        return tuple(ordered)
    rest = ordered[OWN_LANES - 1 :]
    shared = tuple(shape for lane in rest for shape in lane.shapes if shape.form != "range")
    first = rest[0].anchor.rpartition("-")[0]
    return (*ordered[: OWN_LANES - 1], Lane(f"{len(rest)} {more}", "", first, shared))
