"""Azure cost export of an enterprise agreement: what was used and bought, at what the invoice asks for.

https://learn.microsoft.com/azure/cost-management-billing/automate/understand-usage-details-fields. Dates are
written month first, without a time, in UTC, and the last day of a period belongs to it. The same columns come as
an "amortized" export, which spreads what was paid ahead over its use: no invoice asks for that, so it is refused.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import BinaryIO

from ledger.domain.cloud_bill import BillKey, BillLine
from ledger.importers.bill_columns import MAX_RESOURCE, Cells, UnreadableCell, bill_lines
from ledger.importers.csv_header import plain_name
from ledger.importers.csv_table import has_table, open_table
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import BadRow, FileRefused

PROVIDER = "Microsoft"
COLUMNS = {
    "billing_account": "billingaccountid",
    "period_start": "billingperiodstartdate",
    "period_last_day": "billingperiodenddate",
    "day": "date",
    "sub_account": "subscriptionid",
    "service": "metercategory",
    "region": "resourcelocation",
    "resource": "resourceid",
    "kind": "chargetype",
    "usage_type": "metername",
    "quantity": "quantity",
    "unit": "unitofmeasure",
    "billed": "costinbillingcurrency",
    "currency": "billingcurrencycode",
}
REQUIRED = ("billingaccountid", "billingperiodstartdate", "date", "metercategory", "costinbillingcurrency")
CHARGE_TYPES = {
    "usage": "usage",
    "purchase": "purchase",
    "tax": "tax",
    "refund": "refund",
    "credit": "credit",
    "roundingadjustment": "adjustment",
    "adjustment": "adjustment",
}
ONLY_IN_AMORTIZED = frozenset({"unusedreservation", "unusedsavingsplan"})
_MONTH_FIRST = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


def columns_known(names: tuple[str, ...]) -> int:
    known = {plain_name(name) for name in names}
    return len(known.intersection(COLUMNS.values())) if known.issuperset(REQUIRED) else 0


def recognises(head: bytes) -> bool:
    return has_table(head, columns_known)


def rows(stream: BinaryIO, _: ImportContext) -> Iterator[BillLine | BadRow]:
    table = open_table(stream, columns_known=columns_known, expected="MeterCategory, CostInBillingCurrency …")
    return bill_lines(table, known=COLUMNS, plain=plain_name, read=_read)


def _read(line: int, cells: Cells) -> BillLine:
    kind = cells.needed("kind")
    if kind.lower() in ONLY_IN_AMORTIZED:
        raise FileRefused(
            f"line {line} is of {kind}: this is Azure's amortized export, and no invoice asks for what it says; "
            "export the actual cost"
        )
    charge_type = CHARGE_TYPES.get(kind.lower())
    if charge_type is None:
        raise UnreadableCell(cells.names["kind"], f"is {kind[:40]!r}, which is not known here")
    billed = cells.needed_number("billed")
    return BillLine(
        line=line,
        key=BillKey(
            provider=PROVIDER,
            billing_account=cells.needed("billing_account"),
            period_start=_day(cells, "period_start"),
        ),
        period_end=_day(cells, "period_last_day") + timedelta(days=1),
        occurred_at=datetime.combine(_day(cells, "day"), time(), UTC),
        until=None,
        sub_account=cells.text("sub_account"),
        service=cells.text("service"),
        region=cells.text("region"),
        resource=cells.text("resource", most=MAX_RESOURCE),
        charge_type=charge_type,
        usage_type=cells.text("usage_type"),
        quantity=cells.number("quantity"),
        unit=cells.text("unit"),
        billed=billed,
        effective=None,
        listed=None,
        currency=cells.needed("currency"),
    )


def _day(cells: Cells, name: str) -> date:
    value = cells.needed(name)
    found = _MONTH_FIRST.fullmatch(value)
    if found is None:
        return cells.moment(name).date()
    month, day, year = map(int, found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        raise UnreadableCell(cells.names[name], f"is not a date, month first: {value[:40]!r}") from None


IMPORTER = Importer(
    name="azure-cost",
    label="Cloud bill, Azure cost export",
    specificity=40,
    recognises=recognises,
    rows=rows,
    bills=True,
)
