"""One thing that might be otherwise, and what it changes of a forecast."""

from calendar import month_abbr
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Contribution, Setting
from forecasting.scenarios.fields import written
from ledger.domain.flows import day_number
from ledger.domain.problems import FieldProblem

Floats = NDArray[np.float64]
DAYS_PER_MONTH = 30.4


class Inapplicable(ValueError):
    """A change that this company cannot make, e.g. of a vendor that nobody knows."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class InvalidScenario(ValueError):
    """A scenario that is refused; `errors` lists everything wrong with it at once."""

    def __init__(self, errors: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Told:
    """What the drivers said, ready to be turned.

    Attributes:
        contributions: by the driver's name.
        gross: float64 [horizon] of expected income before the costs that follow it, by the driver that carries it.
    """

    contributions: dict[str, Contribution]
    gross: dict[str, Floats] = field(default_factory=dict)

    def turned(self, driver: str, contribution: Contribution) -> "Told":
        """The same with one driver's contribution replaced."""
        return replace(self, contributions=self.contributions | {driver: contribution})


@dataclass(frozen=True)
class Change:
    """A frozen input of a scenario. A subclass says what it does in one of two places, or in both:

    `settle` changes what is known about the company before the drivers speak, in force from `in_force_from` on.
    `turn` changes what they said. All settle first; both go in the order of RANK, then day, then content, so that
    the order in which somebody lists changes never matters. ABOUT is the heading under which people look for it.
    """

    KIND: ClassVar[str]
    LABEL: ClassVar[str]
    ABOUT: ClassVar[str]
    RANK: ClassVar[int] = 0

    def in_force_from(self) -> date | None:
        """The first day on which `settle` holds; None for what carries its own dates."""
        return None

    def settle(self, setting: Setting) -> Setting:
        """The company with the change made.

        Raises:
            Inapplicable: naming the field that does not fit this company.
        """
        return setting

    def turn(self, told: Told, setting: Setting) -> Told:
        """What the drivers say with the change made."""
        del setting
        return told

    def sentence(self, currency: str) -> str:
        """The change in a few words; amounts without a currency of their own are in `currency`."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """`kind`, and every field as `read_change` reads it."""
        return {"kind": self.KIND} | {each.name: written(getattr(self, each.name)) for each in fields(self)}


def active(setting: Setting, start: date) -> NDArray[np.bool_]:
    """bool [horizon]: the days from `start` on."""
    first = setting.days_ahead(day_number(start))
    return np.asarray(np.arange(1, setting.horizon_days + 1) >= first)


def on_day(day: date) -> str:
    """`2026-12-26` -> `26 Dec 2026`, which no line breaks."""
    return f"{day.day} {month_abbr[day.month]} {day.year}".replace(" ", "\N{NO-BREAK SPACE}")


def percent(share: float) -> str:
    """`0.125` -> `12.5 %`."""
    return f"{share * 100:.4g}\N{NO-BREAK SPACE}%"
