"""AWS Cost and Usage Report: the legacy columns (`lineItem/UnblendedCost`) and those of CUR 2.0 and Athena.

https://docs.aws.amazon.com/cur/latest/userguide/data-dictionary.html. Times are UTC, periods half-open. The
invoice asks for the unblended cost; the effective cost is AWS's "amortized" one. AWS issues the report of a month
again and again, also after the month: each time it replaces the one before, and no id of a line outlives that.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import BinaryIO

from ledger.domain.cloud_bill import BillKey, BillLine, end_of_charge
from ledger.domain.money import MONEY
from ledger.importers.bill_columns import MAX_RESOURCE, Cells, bill_lines
from ledger.importers.csv_table import has_table, open_table
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import BadRow

PROVIDER = "AWS"
COLUMNS = {
    "billing_account": "billpayeraccountid",
    "period_start": "billbillingperiodstartdate",
    "period_end": "billbillingperiodenddate",
    "occurred_at": "lineitemusagestartdate",
    "ended_at": "lineitemusageenddate",
    "sub_account": "lineitemusageaccountid",
    "service": "lineitemproductcode",
    "region": "productregioncode",
    "old_region": "productregion",
    "resource": "lineitemresourceid",
    "kind": "lineitemlineitemtype",
    "usage_type": "lineitemusagetype",
    "quantity": "lineitemusageamount",
    "unit": "pricingunit",
    "billed": "lineitemunblendedcost",
    "listed": "pricingpublicondemandcost",
    "currency": "lineitemcurrencycode",
    "reserved_cost": "reservationeffectivecost",
    "reservation": "reservationreservationarn",
    "unused_upfront": "reservationunusedamortizedupfrontfeeforbillingperiod",
    "unused_recurring": "reservationunusedrecurringfee",
    "plan_cost": "savingsplansavingsplaneffectivecost",
    "plan_committed": "savingsplantotalcommitmenttodate",
    "plan_used": "savingsplanusedcommitment",
}
REQUIRED = (
    "billpayeraccountid",
    "billbillingperiodstartdate",
    "lineitemlineitemtype",
    "lineitemusagestartdate",
    "lineitemunblendedcost",
)
CHARGE_TYPES = {
    "Usage": "usage",
    "DiscountedUsage": "usage",
    "SavingsPlanCoveredUsage": "usage",
    # Takes the on-demand price of covered usage off again, under the same service.
    "SavingsPlanNegation": "usage",
    "Fee": "purchase",
    "RIFee": "purchase",
    "SavingsPlanRecurringFee": "purchase",
    "SavingsPlanUpfrontFee": "purchase",
    "Tax": "tax",
    "Credit": "credit",
    "Refund": "refund",
    "BundledDiscount": "discount",
    "Discount": "discount",
    "EdpDiscount": "discount",
    "PrivateRateDiscount": "discount",
    "RiVolumeDiscount": "discount",
    "SppDiscount": "discount",
}
ZERO = Decimal(0)


def plain(name: str) -> str:
    """`lineItem/UnblendedCost` and `line_item_unblended_cost` are one column."""
    return "".join(character for character in name.lower() if character.isalnum())


def columns_known(names: tuple[str, ...]) -> int:
    known = {plain(name) for name in names}
    return len(known.intersection(COLUMNS.values())) if known.issuperset(REQUIRED) else 0


def recognises(head: bytes) -> bool:
    return has_table(head, columns_known)


def rows(stream: BinaryIO, _: ImportContext) -> Iterator[BillLine | BadRow]:
    table = open_table(stream, columns_known=columns_known, expected="lineItem/UnblendedCost and the like")
    return bill_lines(table, known=COLUMNS, plain=plain, read=_read)


def _read(line: int, cells: Cells) -> BillLine:
    kind = cells.needed("kind")
    billed = cells.needed_number("billed")
    return BillLine(
        line=line,
        key=BillKey(
            provider=PROVIDER,
            billing_account=cells.needed("billing_account"),
            period_start=cells.moment("period_start").date(),
        ),
        period_end=cells.moment("period_end").date(),
        occurred_at=cells.moment("occurred_at"),
        until=end_of_charge(cells.moment("occurred_at"), cells.moment_or_none("ended_at")),
        sub_account=cells.text("sub_account"),
        service=cells.text("service"),
        region=cells.text("region") or cells.text("old_region"),
        resource=cells.text("resource", most=MAX_RESOURCE),
        # AWS adds kinds now and then. One we do not know is booked for what it costs, under a name of its own.
        charge_type=CHARGE_TYPES.get(kind, "adjustment"),
        usage_type=cells.text("usage_type"),
        quantity=cells.number("quantity"),
        unit=cells.text("unit"),
        billed=billed,
        effective=_EFFECTIVE.get(kind, lambda _, cost: cost)(cells, billed),
        listed=cells.number("listed"),
        currency=cells.needed("currency"),
    )


def _difference(cells: Cells, whole: str, part: str) -> Decimal:
    return MONEY.subtract(cells.number(whole) or ZERO, cells.number(part) or ZERO)


# https://docs.aws.amazon.com/cur/latest/userguide/amortized-cost.html, where it is a CASE over the kinds.
_EFFECTIVE: dict[str, Callable[[Cells, Decimal], Decimal | None]] = {
    "DiscountedUsage": lambda cells, _: cells.number("reserved_cost"),
    "SavingsPlanCoveredUsage": lambda cells, _: cells.number("plan_cost"),
    "SavingsPlanNegation": lambda _, __: ZERO,
    "SavingsPlanUpfrontFee": lambda _, __: ZERO,
    "SavingsPlanRecurringFee": lambda cells, _: _difference(cells, "plan_committed", "plan_used"),
    "RIFee": lambda cells, _: MONEY.add(
        cells.number("unused_upfront") or ZERO, cells.number("unused_recurring") or ZERO
    ),
    "Fee": lambda cells, cost: ZERO if cells.text("reservation") else cost,
}


IMPORTER = Importer(
    name="aws-cur",
    label="Cloud bill, AWS Cost and Usage Report",
    specificity=40,
    recognises=recognises,
    rows=rows,
    bills=True,
)
