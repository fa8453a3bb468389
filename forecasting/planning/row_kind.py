"""The lists of a plan and what a row of each holds, for whoever lets a person edit them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["day", "money", "percent", "days", "text", "currency", "flag"]


@dataclass(frozen=True, slots=True)
class RowField:
    """One value of a row.

    Attributes:
        name: key within the row; a point leads into an object, `delay.mean_days`.
        kind: percent is kept as a share, 75 as 0.75; money as text; flag as true or false.
        fresh: what a new row starts with.
    """

    name: str
    label: str
    kind: Kind
    hint: str = ""
    is_required: bool = True
    fresh: str = ""


@dataclass(frozen=True, slots=True)
class RowKind:
    """One list of `plan.json`.

    Attributes:
        key: of the list in the document.
        one: what a row is called in a sentence.
        names: the field that tells a row from its neighbours.
        fixed: what every row says besides its fields.
    """

    key: str
    title: str
    one: str
    about: str
    names: str
    fields: tuple[RowField, ...]
    fixed: Mapping[str, str]

    @property
    def fields_by_name(self) -> Mapping[str, RowField]:
        return {field.name: field for field in self.fields}


TRANCHES = RowKind(
    key="tranches",
    title="New money",
    one="tranche",
    about="Funding that depends on a milestone. It is never certain and seldom on time, so it counts with its "
    "odds and its delay.",
    names="milestone",
    fields=(
        RowField("milestone", "What it depends on", "text", is_required=False),
        RowField("date", "Planned for", "day"),
        RowField("amount", "Amount", "money"),
        RowField("probability", "Odds that it comes, %", "percent", fresh="75"),
        RowField("delay.mean_days", "Usually late by, days", "days", fresh="21"),
        RowField("delay.sd_days", "Give or take, days", "days", hint="one standard deviation", fresh="14"),
    ),
    fixed={"delay.dist": "gamma"},
)
CLOUD_CREDITS = RowKind(
    key="cloud_credits",
    title="Cloud credits",
    one="credit",
    about="What a cloud vendor pays of its own bills, until it is used up or its last day has come.",
    names="provider",
    fields=(
        RowField("provider", "Provider", "text"),
        RowField("remaining", "Left", "money"),
        RowField("expires", "Last day", "day"),
    ),
    fixed={},
)
PLANNED_HIRES = RowKind(
    key="planned_hires",
    title="Hires",
    one="hire",
    about="People who are not on the payroll yet. Without a signed contract a start counts as a little later and "
    "a little less likely.",
    names="start",
    fields=(
        RowField("start", "Starts", "day"),
        RowField("monthly_gross", "Gross pay a month", "money"),
        RowField("currency", "Currency", "currency"),
        RowField("confirmed", "Contract is signed", "flag", is_required=False),
    ),
    fixed={},
)
ANNUAL_RENEWALS = RowKind(
    key="annual_renewals",
    title="Yearly bills",
    one="yearly bill",
    about="Bills that come once a year. Once one is listed, a yearly bill of the ledger that is not listed counts "
    "as cancelled.",
    names="vendor",
    fields=(
        RowField("vendor", "Vendor", "text", hint="as in the ledger"),
        RowField("date", "Next on", "day"),
        RowField("amount", "Amount", "money"),
    ),
    fixed={},
)
OPEN_RECEIVABLES = RowKind(
    key="open_receivables",
    title="Open invoices",
    one="invoice",
    about="What customers owe. Nearly all of it comes, most of it late.",
    names="customer",
    fields=(
        RowField("customer", "Customer", "text", hint="as in the ledger"),
        RowField("amount", "Amount", "money"),
        RowField("due", "Due", "day"),
    ),
    fixed={},
)

ROW_KINDS: Mapping[str, RowKind] = {
    kind.key: kind for kind in (TRANCHES, CLOUD_CREDITS, PLANNED_HIRES, OPEN_RECEIVABLES, ANNUAL_RENEWALS)
}
