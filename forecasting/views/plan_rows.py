"""The rows of a plan as a person reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from forecasting.drivers.tranches import tranche_label
from forecasting.fit.plan import (
    AnnualRenewal,
    CloudCredit,
    OpenReceivable,
    PlanDocument,
    PlannedHire,
    PlannedTranche,
)
from forecasting.planning.row_kind import ROW_KINDS, RowKind
from forecasting.views.plan_form import RowForm
from ledger.templatetags.amounts import day_date, days, money_text, odds

YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One row. `amount` is signed, in `currency`.

    Attributes:
        aside: what else it says.
        doubt: why it may no longer be true.
        form: while it is being edited.
    """

    place: int
    name: str
    day: date
    amount: Decimal
    currency: str
    title: str
    aside: str
    doubt: str
    form: RowForm | None = None


@dataclass(frozen=True, slots=True)
class PlanSection:
    """A list of the plan. `form` while a row is being added."""

    kind: RowKind
    rows: tuple[PlanRow, ...]
    form: RowForm | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the words of rows depend on besides the plan.

    Attributes:
        left: what is left of each credit today, by provider and last day; empty when unknown.
        came: days on which what rows wait for has come, by name of the row.
    """

    base_currency: str
    today: date
    left: Mapping[tuple[str, date], Decimal]
    came: Mapping[str, date] = field(default_factory=dict)


def plan_sections(document: PlanDocument, *, facts: Facts, form: RowForm | None) -> tuple[PlanSection, ...]:
    """All lists, in the order of the page; `form` takes the place of the row that it is of."""
    told = {
        "tranches": [_tranche(each, facts) for each in document.tranches],
        "cloud_credits": [_credit(each, facts, as_of=document.as_of) for each in document.cloud_credits],
        "planned_hires": [_hire(each, facts) for each in document.planned_hires],
        "annual_renewals": [_bill(each, facts) for each in document.annual_renewals],
        "open_receivables": [_invoice(each, facts) for each in document.open_receivables],
    }
    sections = []
    for key, kind in ROW_KINDS.items():
        mine = form if form is not None and form.kind is kind else None
        rows = [
            PlanRow(
                place=place,
                name=f"{key}-{place}",
                form=mine if mine is not None and mine.place == place else None,
                **(said | _come(f"{key}-{place}", facts)),
            )
            for place, said in enumerate(told[key])
        ]
        rows.sort(key=lambda row: (row.day, row.place))
        sections.append(PlanSection(kind, tuple(rows), mine if mine is not None and mine.place is None else None))
    return tuple(sections)


def _come(name: str, facts: Facts) -> dict[str, str]:
    """What goes before any other doubt of a row: the ledger has it already."""
    day = facts.came.get(name)
    if day is None:
        return {}
    return {"doubt": f"Came on {day_date(day, facts.today)}: it is in bank and no longer waited for. Take it out."}


def _tranche(each: PlannedTranche, facts: Facts) -> dict[str, Any]:
    late = round(each.delay.mean_days)
    expected = each.date + timedelta(days=late)
    aside = (
        f"{odds(each.probability)} likely, usually {days(late)} late: expected about "
        f"{day_date(expected, facts.today)}, give or take {days(round(each.delay.sd_days))}"
    )
    doubt = "Its planned day is past: it counts as late until you take it out." if each.date < facts.today else ""
    return {
        "day": each.date,
        "amount": each.amount,
        "currency": facts.base_currency,
        "title": each.milestone or tranche_label(each),
        "aside": aside,
        "doubt": doubt,
    }


def _credit(each: CloudCredit, facts: Facts, *, as_of: date | None) -> dict[str, Any]:
    stated = f"left on {day_date(as_of, facts.today)}" if as_of else ""
    left = facts.left.get((each.provider, each.expires))
    if left is not None and left != each.remaining:
        stated += f"; bills since then leave {money_text(left, facts.base_currency)}"
    doubt = "Its last day is past." if each.expires < facts.today else ""
    return {
        "day": each.expires,
        "amount": each.remaining,
        "currency": facts.base_currency,
        "title": each.provider,
        "aside": stated,
        "doubt": doubt,
    }


def _hire(each: PlannedHire, facts: Facts) -> dict[str, Any]:
    doubt = (
        "Their first day is past: once payroll has run, it speaks for them." if each.start < facts.today else ""
    )
    return {
        "day": each.start,
        "amount": -each.monthly_gross,
        "currency": each.currency,
        "title": "Somebody starts",
        "aside": f"gross pay a month; contract {'signed' if each.confirmed else 'not signed yet'}",
        "doubt": doubt,
    }


def _bill(each: AnnualRenewal, facts: Facts) -> dict[str, Any]:
    again, doubt = each.date, ""
    while again < facts.today:
        again += YEAR
    if again != each.date:
        doubt = f"Its day is past: it is expected again about {day_date(again, facts.today)}."
    return {
        "day": each.date,
        "amount": -each.amount,
        "currency": facts.base_currency,
        "title": each.vendor,
        "aside": "once a year",
        "doubt": doubt,
    }


def _invoice(each: OpenReceivable, facts: Facts) -> dict[str, Any]:
    overdue = (facts.today - each.due).days
    doubt = f"Due for {days(overdue)}: take it out if it is paid." if overdue > 0 else ""
    return {
        "day": each.due,
        "amount": each.amount,
        "currency": facts.base_currency,
        "title": each.customer,
        "aside": "",
        "doubt": doubt,
    }
