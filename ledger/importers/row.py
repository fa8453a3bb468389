"""What an importer yields, line by line, and how a whole file is refused."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.domain.cloud_bill import BillLine
from ledger.domain.intake import StatedBalance

MAX_REASON = 1_000


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Something wrong, or worth a look, in one line of a file.

    Attributes:
        line: number of the physical line on which the record begins, from 1.
        field: the name of our field, of the file's column, or `line` for the line as a whole.
    """

    line: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line that could be read.

    Attributes:
        event: fields of a capital event by name, not validated yet: `ledger.domain.event.parse_event` does that.
        review: what a person should look at although the line can be recorded, e.g. a balance that does not fit.
    """

    line: int
    event: Mapping[str, object]
    review: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class BadRow:
    """One line that could not be read. It names everything found wrong with it, at least one problem."""

    line: int
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One line that is deliberately not recorded: a pending booking, one that moves no money."""

    line: int
    problem: RowProblem


@dataclass(frozen=True, slots=True)
class StatedRow:
    """A balance that a file states, and the line on which it does.

    Attributes:
        review: what a person should look at, e.g. that the file's own entries do not add up to it.
        opening: stated in passing, at the end of the day before a statement; a closing balance goes before it.
    """

    line: int
    balance: StatedBalance
    review: tuple[RowProblem, ...] = ()
    opening: bool = False


type Found = Row | BadRow | LeftOut | StatedRow | BillLine
"""What an importer yields."""


def left_out(*, line: int, field: str, message: str) -> LeftOut:
    return LeftOut(line=line, problem=RowProblem(line=line, field=field, message=message))


def bad_row(*, line: int, field: str, message: str) -> BadRow:
    return BadRow(line=line, problems=(RowProblem(line=line, field=field, message=message),))


class FileRefused(Exception):
    """The file is not what it says, so none of it is imported. The message is one line for whoever sent it,
    whatever the file has put into it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(" ".join(reason.split())[:MAX_REASON])
