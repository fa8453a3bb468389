"""The cheapest set of steps that saves enough: least capacity taken away, production last.

Of every group one option may be chosen, or none. This is a covering knapsack with classes; it is solved exactly by
keeping, group by group, only what no other choice beats in both disruption and saving (H. Kellerer, U. Pferschy,
D. Pisinger, "Knapsack Problems", 2004, chapter 11). Where that frontier grows beyond MOST_CHOICES it is thinned
out, and the answer says so.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

MOST_CHOICES = 5_000


@dataclass(frozen=True, slots=True)
class Option:
    """One size that a group may be given.

    Attributes:
        removed: instances taken away, at least one.
        monthly_saving: above zero.
    """

    removed: int
    monthly_saving: Decimal


@dataclass(frozen=True, slots=True)
class Shrinkable:
    """A group and what may be taken from it."""

    name: str
    is_production: bool
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, order=True)
class Disruption:
    """What a choice costs, in the order in which it counts."""

    production_instances: int = 0
    instances: int = 0
    groups: int = 0

    def plus(self, group: Shrinkable, option: Option) -> "Disruption":
        return Disruption(
            self.production_instances + (option.removed if group.is_production else 0),
            self.instances + option.removed,
            self.groups + 1,
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """A set of steps.

    Attributes:
        picked: (place of the group, option), by place.
        is_exact: no other set that saves enough disrupts less.
    """

    picked: tuple[tuple[int, Option], ...]
    monthly_saving: Decimal
    disruption: Disruption
    is_exact: bool = True


def cheapest_choice(*, groups: Sequence[Shrinkable], wanted: Decimal) -> Choice | None:
    """The least disruptive choice that saves at least `wanted` a month; None where all groups together do not.

    Among equally disruptive ones it is the one that saves most.
    """
    if wanted <= 0:
        return Choice((), Decimal(0), Disruption())
    most_after = _most_after(groups)
    frontier = [Choice((), Decimal(0), Disruption())]
    best: Choice | None = None
    is_exact = True
    # Production comes first here, so that what is dear is decided early and prunes the rest.
    order = sorted(range(len(groups)), key=lambda place: not groups[place].is_production)
    remaining = sum((most_after[place] for place in order), Decimal(0))
    for place in order:
        remaining -= most_after[place]
        group = groups[place]
        grown = [
            *frontier,
            *(_with(choice, place, group, option) for choice in frontier for option in group.options),
        ]
        for choice in grown:
            if choice.monthly_saving >= wanted and (best is None or _rank(choice) < _rank(best)):
                best = choice
        frontier = _undominated(
            [
                choice
                for choice in grown
                if choice.monthly_saving < wanted <= choice.monthly_saving + remaining
                and (best is None or choice.disruption < best.disruption)
            ]
        )
        if len(frontier) > MOST_CHOICES:
            frontier, is_exact = _thinned(frontier), False
    if best is None:
        return None
    return Choice(tuple(sorted(best.picked, key=lambda each: each[0])), *_figures(best), is_exact)


def _most_after(groups: Sequence[Shrinkable]) -> list[Decimal]:
    return [max((option.monthly_saving for option in group.options), default=Decimal(0)) for group in groups]


def _with(choice: Choice, place: int, group: Shrinkable, option: Option) -> Choice:
    return Choice(
        (*choice.picked, (place, option)),
        choice.monthly_saving + option.monthly_saving,
        choice.disruption.plus(group, option),
    )


def _rank(choice: Choice) -> tuple[Disruption, Decimal]:
    return choice.disruption, -choice.monthly_saving


def _figures(choice: Choice) -> tuple[Decimal, Disruption]:
    return choice.monthly_saving, choice.disruption


def _undominated(choices: list[Choice]) -> list[Choice]:
    """Those that no other one beats in both disruption and saving, by disruption."""
    kept: list[Choice] = []
    for choice in sorted(choices, key=_rank):
        if not kept or choice.monthly_saving > kept[-1].monthly_saving:
            kept.append(choice)
    return kept


def _thinned(frontier: list[Choice]) -> list[Choice]:
    """About MOST_CHOICES of them, evenly spread over what they save, the two ends among them."""
    savings = [choice.monthly_saving for choice in frontier]
    low, high = savings[0], savings[-1]
    places = {bisect_left(savings, low + (high - low) * step / (MOST_CHOICES - 1)) for step in range(MOST_CHOICES)}
    return [frontier[min(place, len(frontier) - 1)] for place in sorted(places)]
