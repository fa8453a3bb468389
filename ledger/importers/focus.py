"""FOCUS 1.0 to 1.2: the FinOps Open Cost and Usage Specification, which AWS, Azure, Google and Oracle share.

https://focus.finops.org: times are UTC; periods are half-open; BilledCost is what the invoice asks for,
EffectiveCost has what was paid ahead spread over its use, so cash follows BilledCost. Exports write NULL for
nothing, some as a word. A correction of a bill that is closed is a negative line of the bill that it comes with.
"""

from collections.abc import Iterator
from typing import BinaryIO

from ledger.domain.cloud_bill import BillKey, BillLine, end_of_charge
from ledger.importers.bill_columns import MAX_RESOURCE, Cells, UnreadableCell, bill_lines
from ledger.importers.csv_header import plain_name
from ledger.importers.csv_table import has_table, open_table
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import BadRow

COLUMNS = {
    "provider": "providername",
    "billing_account": "billingaccountid",
    "period_start": "billingperiodstart",
    "period_end": "billingperiodend",
    "occurred_at": "chargeperiodstart",
    "ended_at": "chargeperiodend",
    "sub_account": "subaccountid",
    "service": "servicename",
    "region": "regionid",
    "resource": "resourceid",
    "category": "chargecategory",
    "usage_type": "skuid",
    # AWS adds what its other reports say: `EU-SpotUsage:m5.large` names region, market and type, a SKU nothing.
    "aws_usage_type": "x usagetype",
    "quantity": "consumedquantity",
    "unit": "consumedunit",
    "billed": "billedcost",
    "effective": "effectivecost",
    "listed": "listcost",
    "currency": "billingcurrency",
}
REQUIRED = ("providername", "billingaccountid", "billingperiodstart", "chargeperiodstart", "billedcost")
CHARGE_TYPES = {
    "usage": "usage",
    "purchase": "purchase",
    "tax": "tax",
    "credit": "credit",
    "adjustment": "adjustment",
    # Written by exports that follow a draft of the specification.
    "refund": "refund",
}
# One provider under one name, whichever format its bill comes in.
PROVIDERS = {
    "amazon web services": "AWS",
    "amazon": "AWS",
    "aws": "AWS",
    "azure": "Microsoft",
    "microsoft azure": "Microsoft",
    "microsoft": "Microsoft",
    "google": "Google Cloud",
    "google cloud platform": "Google Cloud",
    "oracle cloud infrastructure": "Oracle",
}
MAX_PROVIDER = 48


def columns_known(names: tuple[str, ...]) -> int:
    known = {plain_name(name) for name in names}
    return len(known.intersection(COLUMNS.values())) if known.issuperset(REQUIRED) else 0


def recognises(head: bytes) -> bool:
    return has_table(head, columns_known)


def rows(stream: BinaryIO, _: ImportContext) -> Iterator[BillLine | BadRow]:
    table = open_table(stream, columns_known=columns_known, expected="ProviderName, BilledCost and the like")
    return bill_lines(table, known=COLUMNS, plain=plain_name, read=_read)


def _read(line: int, cells: Cells) -> BillLine:
    said = cells.needed("provider")
    category = cells.needed("category")
    charge_type = CHARGE_TYPES.get(category.lower())
    if charge_type is None:
        known = ", ".join(name.capitalize() for name in CHARGE_TYPES)
        raise UnreadableCell(cells.names["category"], f"is {category[:40]!r}, and not one of {known}")
    return BillLine(
        line=line,
        key=BillKey(
            provider=PROVIDERS.get(said.lower(), said)[:MAX_PROVIDER],
            billing_account=cells.needed("billing_account"),
            period_start=cells.moment("period_start").date(),
        ),
        period_end=cells.moment("period_end").date(),
        occurred_at=cells.moment("occurred_at"),
        until=end_of_charge(cells.moment("occurred_at"), cells.moment_or_none("ended_at")),
        sub_account=cells.text("sub_account"),
        service=cells.text("service"),
        region=cells.text("region"),
        resource=cells.text("resource", most=MAX_RESOURCE),
        charge_type=charge_type,
        usage_type=cells.text("aws_usage_type") or cells.text("usage_type"),
        quantity=cells.number("quantity"),
        unit=cells.text("unit"),
        billed=cells.needed_number("billed"),
        effective=cells.number("effective"),
        listed=cells.number("listed"),
        currency=cells.needed("currency"),
    )


IMPORTER = Importer(
    name="focus",
    label="Cloud bill, FOCUS 1.0 to 1.2",
    specificity=40,
    recognises=recognises,
    rows=rows,
    bills=True,
)
