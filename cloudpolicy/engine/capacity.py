"""How many instances a group may have, and what is wrong with a size before anybody asks AWS for it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capacity:
    """Instances of an auto-scaling group: the least, the most, and how many are wanted now."""

    min: int
    max: int
    desired: int

    def as_dict(self) -> dict[str, int]:
        return {"min": self.min, "max": self.max, "desired": self.desired}

    def __str__(self) -> str:
        return f"min {self.min}, max {self.max}, desired {self.desired}"


def capacity_problems(capacity: Capacity, *, floor: int = 0) -> tuple[str, ...]:
    """Say everything that is wrong with a size; empty when nothing is.

    AWS refuses such a size only when it is asked for it, half-way through a plan, and AWS-compatible servers
    accept it, so sizes are judged here, before they become a call.

    Args:
        floor: instances that the group's environment is never left below.
    """
    if max(floor, 0) <= capacity.min <= capacity.desired <= capacity.max:
        return ()
    problems = [
        f"{name} is {value}, and a number of instances is never negative"
        for name, value in capacity.as_dict().items()
        if value < 0
    ]
    if capacity.min > capacity.max:
        problems.append(f"min {capacity.min} is above max {capacity.max}")
    if capacity.desired < capacity.min:
        problems.append(f"desired {capacity.desired} is below min {capacity.min}")
    if capacity.desired > capacity.max:
        problems.append(f"desired {capacity.desired} is above max {capacity.max}")
    if 0 <= capacity.min < floor:
        problems.append(f"min {capacity.min} is below the floor of {floor}")
    return tuple(problems)


def parse_capacity(raw: Mapping[str, object]) -> Capacity:
    """Read `{min, max, desired}` back, as stored in a plan or a journal.

    Raises:
        ValueError: a number is missing or is no whole number.
    """
    numbers = {}
    for name in ("min", "max", "desired"):
        value = raw.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{name} is {value!r}, not a whole number")
        numbers[name] = value
    return Capacity(**numbers)
