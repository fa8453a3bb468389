"""Whether a saving came true: what bills say before and after, beside what was predicted."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

DAYS_PER_MONTH = Decimal("30.4")
# What the rest did says little about a group once it has more than doubled or halved.
LEAST_FACTOR, MOST_FACTOR = Decimal("0.5"), Decimal(2)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Spent:
    """What instance-hours cost in a window, in base currency.

    Attributes:
        touched: of the groups that were changed.
        rest: of all others.
    """

    touched: Decimal
    rest: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class BilledSaving:
    """Attributes:
    saved: over the window after; positive is saved.
    factor: what the rest did meanwhile; the groups are taken to have done the same had nobody touched them.
    """

    saved: Decimal
    factor: Decimal


def billed_saving(*, before: Spent, after: Spent) -> BilledSaving:
    """What the groups would have cost, had they gone as the rest went, less what they cost.

    A difference in differences by ratio (J. Angrist, J.-S. Pischke, "Mostly Harmless Econometrics", 2009, chapter
    5). It is as good as the rest is a likeness of the groups: usage of both has to move alike.
    """
    factor = Decimal(1)
    if before.rest > 0 and after.rest > 0:
        factor = (after.rest / after.days) / (before.rest / before.days)
        factor = min(max(factor, LEAST_FACTOR), MOST_FACTOR)
    expected = before.touched / before.days * after.days * factor
    return BilledSaving(
        saved=(expected - after.touched).quantize(Decimal("0.000001"), rounding=ROUND_HALF_EVEN),
        factor=factor.quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN),
    )


def delivers(*, predicted: Decimal, billed: Decimal, moved: Decimal | None = None) -> bool:
    """Whether no more than half of what was predicted is missing; for a cost, whether it is half as much again at
    most.

    Args:
        moved: what was predicted of each of several, without signs; savings and costs in one sum cancel out, and
            half of what is left would be nothing.
    """
    return billed >= predicted - (abs(predicted) if moved is None else moved) / 2


def days_at(*, curve: Sequence[tuple[Decimal, int]], saving_per_month: Decimal) -> float | None:
    """Days of p5 that a saving adds, read off simulated points; beyond them by the slope of the outermost two.

    Args:
        curve: (saving per month, p5 in days), by saving, with zero among them.

    Returns:
        None where there are fewer than two points.
    """
    base = next((days for saving, days in curve if saving == 0), None)
    if base is None or len(curve) < 2:
        return None
    savings = [saving for saving, _ in curve]
    place = min(max(bisect_left(savings, saving_per_month), 1), len(curve) - 1)
    (left, low), (right, high) = curve[place - 1], curve[place]
    share = float((saving_per_month - left) / (right - left))
    return round(low + share * (high - low) - base, 1)
