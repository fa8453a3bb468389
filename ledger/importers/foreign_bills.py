"""Cost reports that are recognised and cannot be imported: refused by name, with the reason and the way out."""

from ledger.importers.aws_cur import plain
from ledger.importers.csv_table import has_table
from ledger.importers.row import FileRefused

# Columns that only such a file has -> what it is.
FOREIGN_BILLS = (
    (
        frozenset({"lineitemtenantid", "lineitemintervalusagestart", "costmycost"}),
        "this is an Oracle cost report: it holds some hours of a month, and many such files make a bill, so one "
        "of them cannot replace it; export the month in FOCUS format",
    ),
    (
        frozenset({"billpayeraccountid", "lineitemusagestartdate", "lineitemblendedcost"}),
        "this is an AWS Cost and Usage Report without bill/BillingPeriodStartDate, lineItem/LineItemType or "
        "lineItem/UnblendedCost: export it with all columns of bill and lineItem",
    ),
)


def refuse_foreign_bills(head: bytes) -> None:
    """Raise FileRefused when the first bytes of a file show a cost report that is no bill to us."""
    for columns, reason in FOREIGN_BILLS:

        def known(names: tuple[str, ...], columns: frozenset[str] = columns) -> int:
            return len(columns) if columns.issubset({plain(name) for name in names}) else 0

        if has_table(head, known):
            raise FileRefused(reason)
