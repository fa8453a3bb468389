"""What an importer yields, line by line, and how a whole file is refused."""

from collections.abc import Mapping
from dataclasses import dataclass


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


def bad_row(*, line: int, field: str, message: str) -> BadRow:
    return BadRow(line=line, problems=(RowProblem(line=line, field=field, message=message),))


class FileRefused(Exception):
    """The file is not what it says, so none of it is imported. The message is one line for whoever sent it."""
