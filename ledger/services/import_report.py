"""What became of a file."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.importers.row import RowProblem

# A report that lists more is of no use to anybody; the counts stay exact.
MAX_LISTED_PROBLEMS = 100_000
MAX_LISTED_BALANCES = 1_000
SAMPLE_EVENTS = 20
_LISTS_OF_PROBLEMS = ("rejected", "conflicting", "review", "left_out")


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is.

    Attributes:
        read_bytes, total_bytes: of all readings of the file together; 0 while its size is not known.
        line: of the file, the last one that was read.
        resumed: lines that an earlier run had done.
    """

    read: int
    read_bytes: int
    total_bytes: int
    recorded: int = 0
    line: int = 0
    resumed: int = 0


@dataclass(frozen=True, slots=True)
class BalanceFound:
    """A balance that a file states, held against what the ledger says.

    Attributes:
        day: ISO; the balance is that of its end.
        amount: signed, as text.
        expected: the balance stated before it plus everything that moved since then, as text; None when nothing
            was stated before.
        agrees: None when there is nothing to compare with.
    """

    line: int
    account: str
    currency: str
    day: str
    amount: str
    expected: str | None
    agrees: bool | None


@dataclass(frozen=True, slots=True)
class BillFound:
    """A cloud bill that a file delivers, and what becomes of its events in the journal.

    Attributes:
        bill: provider, billing account and month.
        billed: what the invoice asks for, unrounded, as text.
        recorded, reversed, unchanged: events.
        changes: false when the delivery in force says the same.
    """

    bill: str
    currency: str
    lines: int
    billed: str
    recorded: int
    reversed: int
    unchanged: int
    changes: bool


@dataclass(slots=True)
class ImportReport:
    """What became of the lines of a file. `read` is the sum of the four counts after it.

    Attributes:
        format: name of the importer that read the file.
        rejected_lines: lines that were not recorded because something is wrong with them.
        rejected: the problems of those lines, a line may have several; cut off at MAX_LISTED_PROBLEMS.
        conflicting: what differs in lines whose external object is recorded with other content.
        review: what a person should look at in lines that were recorded all the same.
        left_out_lines: lines that were deliberately not recorded, e.g. pending bookings; no part of `read`.
        balances: how many the file states; no part of `read`.
        balances_new: how many of them the ledger did not know.
        balances_off: how many differ from what the ledger says.
        stated: the first of them.
        bills: cloud bills that the file delivers; `read`, `recorded` and `duplicates` count their lines.
        new_accounts: names of the accounts that the file speaks of and that were not there.
        mapping: name of the saved mapping that was applied; empty for none.
        resumed_after: how many lines an earlier, broken-off import of the same file had done.
        sample: the first events, as they are recorded.
    """

    format: str
    read: int = 0
    recorded: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected_lines: int = 0
    needs_review: int = 0
    rejected: list[RowProblem] = field(default_factory=list)
    conflicting: list[RowProblem] = field(default_factory=list)
    review: list[RowProblem] = field(default_factory=list)
    left_out_lines: int = 0
    left_out: list[RowProblem] = field(default_factory=list)
    balances: int = 0
    balances_new: int = 0
    balances_off: int = 0
    stated: list[BalanceFound] = field(default_factory=list)
    bills: list[BillFound] = field(default_factory=list)
    new_accounts: list[str] = field(default_factory=list)
    mapping: str = ""
    resumed_after: int = 0
    sample: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self, *, most_problems: int | None = None) -> dict[str, Any]:
        """
        Args:
            most_problems: how many of each list of problems are written; None for all.
        """
        written = dataclasses.asdict(self)
        for listed in _LISTS_OF_PROBLEMS:
            written[listed] = written[listed][:most_problems]
        return written

    def list_problems(self, name: str, problems: Sequence[RowProblem]) -> None:
        listed: list[RowProblem] = getattr(self, name)
        listed.extend(problems[: MAX_LISTED_PROBLEMS - len(listed)])


def report_from_json(written: Mapping[str, Any]) -> ImportReport:
    """Read a report that `ImportReport.to_json` wrote."""
    lists = {name: [RowProblem(**problem) for problem in written[name]] for name in _LISTS_OF_PROBLEMS}
    stated = [BalanceFound(**found) for found in written["stated"]]
    # Reports that an earlier version wrote know nothing of bills.
    bills = [BillFound(**found) for found in written.get("bills", ())]
    return ImportReport(**{**written, **lists, "stated": stated, "bills": bills})
