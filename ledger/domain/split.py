"""Splitting an event into the things that it is: parts that add up to it, to the last digit."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from ledger.domain.event import IMPLIED_DIRECTION, MAX_TEXT
from ledger.domain.money import MICRO, MONEY, plain

MIN_PARTS = 2
MAX_PARTS = 20
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Part:
    """Attributes:
    amount: positive, in the event's currency.
    event_type: what it counts as: transfer, the type as recorded, or what its direction implies; '' as recorded.
    category, counterparty: '' as the event has them.
    """

    amount: Decimal
    event_type: str = ""
    category: str = ""
    counterparty: str = ""


class CannotSplit(ValueError):
    """Parts that are refused; `part` counts from 0 and is None where no single one is wrong."""

    def __init__(self, message: str, *, part: int | None = None, field: str = "amount") -> None:
        super().__init__(message)
        self.part = part
        self.field = field


def types_of_parts(*, event_type: str, direction: str) -> tuple[str, ...]:
    """Return what a part of an event may count as: first what it was recorded as."""
    implied = next(name for name in ("income", "expense") if IMPLIED_DIRECTION[name] == direction)
    return tuple(dict.fromkeys([event_type, implied, "transfer"]))


def check_parts(parts: Sequence[Part], *, amount: Decimal, event_type: str, direction: str) -> None:
    """Raises:
    CannotSplit: too few parts, too many, one that is not positive or counts as what it cannot be, or a sum that is
        not the event's amount.
    """
    if not MIN_PARTS <= len(parts) <= MAX_PARTS:
        raise CannotSplit(f"a split has {MIN_PARTS} to {MAX_PARTS} parts")
    allowed = types_of_parts(event_type=event_type, direction=direction)
    for place, part in enumerate(parts):
        exponent = part.amount.as_tuple().exponent
        if not part.amount.is_finite() or part.amount <= 0 or (isinstance(exponent, int) and exponent < -6):
            raise CannotSplit("must be a number above zero with at most 6 decimals", part=place)
        if part.event_type and part.event_type not in allowed:
            raise CannotSplit(f"must be one of {', '.join(allowed)}", part=place, field="event_type")
        for field in ("category", "counterparty"):
            text = getattr(part, field)
            if len(text) > MAX_TEXT or "\0" in text:
                raise CannotSplit(f"must have at most {MAX_TEXT} characters", part=place, field=field)
    total = sum((part.amount for part in parts), ZERO)
    if total != amount:
        off = amount - total
        more = "is missing" if off > 0 else "is too much"
        raise CannotSplit(
            f"the parts add up to {plain(total)}, the event is {plain(amount)}: {plain(abs(off))} {more}"
        )


def shares(whole: Decimal, parts: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Return a whole divided in proportion to parts, in six decimals; together they are the whole exactly.

    Args:
        whole: not below zero, of at most six decimals.
        parts: positive.
    """
    total = sum(parts, ZERO)
    given, reached, divided = ZERO, ZERO, []
    for part in parts:
        reached += part
        due = MONEY.divide(MONEY.multiply(whole, reached), total).quantize(MICRO, ROUND_HALF_EVEN, context=MONEY)
        divided.append(due - given)
        given = due
    return tuple(divided)
