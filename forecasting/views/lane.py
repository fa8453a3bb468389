"""A lane of the line of time: shapes whose places are per cent of the days in view."""

from dataclasses import dataclass
from datetime import date

import numpy as np

OWN_LANES = 8  # of one kind; what is more shares one


@dataclass(frozen=True, slots=True)
class Shape:
    """A piece of a lane: `dot`, `bar`, `range` (where it may come to lie) or `column` (of a height in per cent).

    Attributes:
        x, width: per cent of the track, as SVG attributes.
        tone: `in`, `out`, `credit`, `owed` or `doubt`.
        words: what it is, for the pointer and for who does not see it.
    """

    form: str
    tone: str
    x: str
    words: str
    width: str = ""
    y: str = ""
    height: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the timeline. `anchor` leads to its row below; '' for what the ledger says."""

    title: str
    aside: str
    anchor: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The days that are shown, `end` excluded."""

    start: date
    end: date

    def share(self, day: date) -> float:
        """Place of a day, 0 to 1, kept within the view."""
        share = (day - self.start) / (self.end - self.start)
        return min(max(share, 0.0), 1.0)

    def at(self, day: date) -> str:
        return per_cent(self.share(day))

    def wide(self, first: date, last: date) -> str:
        return per_cent(max(self.share(last) - self.share(first), 0.004))

    def shows(self, day: date) -> bool:
        return self.start <= day < self.end


def months_later(first_of_month: date, count: int) -> date:
    year, month = divmod(first_of_month.year * 12 + first_of_month.month - 1 + count, 12)
    return date(year, month + 1, 1)


def per_cent(share: float) -> str:
    return f"{np.round(100 * share, 3):g}%"
