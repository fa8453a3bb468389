"""Policies as documents: read with every problem named by its path, and identified by a digest."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cloudpolicy.engine.capacity import Capacity, capacity_problems
from cloudpolicy.engine.policy import Limits, OptInTag, Otherwise, Policy, Row

SCHEMA = 1
MAX_ROWS = 200
MAX_DAYS = 3660


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """What is wrong, and where: `path` is a JSON path such as `rows[2].capacity.min`."""

    path: str
    message: str


class InvalidPolicy(ValueError):
    """The document is no policy; carries every problem at once."""

    def __init__(self, problems: tuple[PolicyProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems


def canonical_digest(content: Any) -> str:
    """SHA-256 in hex over JSON content; equal for equal content, whatever the order of its keys.

    Raises:
        ValueError: a NaN or an infinity is in it; they have no JSON form.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def parse_policy(raw: object) -> Policy:
    """Read a policy document.

    Raises:
        InvalidPolicy: with all problems, each at its path; unknown keys are problems too.
    """
    reader = _Reader()
    policy = reader.policy(raw)
    if reader.problems or policy is None:
        raise InvalidPolicy(tuple(reader.problems))
    return policy


class _Reader:
    """Collects problems while it reads, so that a document is refused once and not key by key."""

    def __init__(self) -> None:
        self.problems: list[PolicyProblem] = []

    def problem(self, path: str, message: str) -> None:
        self.problems.append(PolicyProblem(path, message))

    def policy(self, raw: object) -> Policy | None:
        document = self.mapping(
            raw,
            "$",
            {
                "schema", "name", "group_name", "opt_in", "rows", "otherwise", "floors",
                "on_demand_percent_with_spot", "limits",
            },
        )  # fmt: skip
        if document is None:
            return None
        if document.get("schema") != SCHEMA:
            self.problem("schema", f"must be {SCHEMA}")
        floors = self.floors(document.get("floors"))
        rows = self.items(document.get("rows"), "rows", lambda raw, path: self.row(raw, path, floors))
        otherwise = self.items(
            document.get("otherwise"), "otherwise", lambda raw, path: self.other(raw, path, floors)
        )
        name = self.text(document.get("name"), "name")
        group_name = self.text(document.get("group_name"), "group_name")
        if group_name and group_name.count("{environment}") != 1:
            self.problem("group_name", "must contain {environment} once")
        opt_in = self.opt_in(document.get("opt_in"))
        percent = self.whole(
            document.get("on_demand_percent_with_spot"), "on_demand_percent_with_spot", least=0, most=99
        )
        limits = self.limits(document.get("limits"))
        self.repeats([row.name for row in rows], "rows", "two rows of one environment share a threshold")
        self.repeats([each.environment for each in otherwise], "otherwise", "an environment stands here twice")
        if self.problems or opt_in is None or limits is None or percent is None:
            return None
        return Policy(name, rows, otherwise, floors, group_name, opt_in, percent, limits)

    def row(self, raw: object, path: str, floors: Mapping[str, int]) -> Row | None:
        keys = {"environment", "below_days", "until_days", "capacity", "spot"}
        content = self.mapping(raw, path, keys)
        if content is None:
            return None
        environment = self.text(content.get("environment"), f"{path}.environment")
        below = self.whole(content.get("below_days"), f"{path}.below_days", least=1, most=MAX_DAYS)
        until = self.whole(content.get("until_days"), f"{path}.until_days", least=1, most=MAX_DAYS)
        if below is not None and until is not None and until < below:
            self.problem(f"{path}.until_days", f"must not lie below below_days, {below}: the row would flap")
        capacity = self.capacity(content.get("capacity"), f"{path}.capacity", floors.get(environment, 0))
        spot = self.flag(content.get("spot"), f"{path}.spot")
        if below is None or until is None or capacity is None or spot is None:
            return None
        return Row(environment, below, until, capacity, spot)

    def other(self, raw: object, path: str, floors: Mapping[str, int]) -> Otherwise | None:
        content = self.mapping(raw, path, {"environment", "capacity", "spot"})
        if content is None:
            return None
        environment = self.text(content.get("environment"), f"{path}.environment")
        capacity = self.capacity(content.get("capacity"), f"{path}.capacity", floors.get(environment, 0))
        spot = self.flag(content.get("spot"), f"{path}.spot")
        if capacity is None or spot is None:
            return None
        return Otherwise(environment, capacity, spot)

    def capacity(self, raw: object, path: str, floor: int) -> Capacity | None:
        content = self.mapping(raw, path, {"min", "max", "desired"})
        if content is None:
            return None
        numbers = [self.whole(content.get(key), f"{path}.{key}", least=0) for key in ("min", "max", "desired")]
        least, most, desired = numbers
        if least is None or most is None or desired is None:
            return None
        capacity = Capacity(least, most, desired)
        for message in capacity_problems(capacity, floor=floor):
            self.problem(path, message)
        return capacity

    def floors(self, raw: object) -> dict[str, int]:
        content = self.mapping(raw, "floors", None)
        floors = {}
        for environment, value in (content or {}).items():
            floor = self.whole(value, f"floors.{environment}", least=0)
            if floor is not None:
                floors[environment] = floor
        return floors

    def opt_in(self, raw: object) -> OptInTag | None:
        content = self.mapping(raw, "opt_in", {"key", "value"})
        if content is None:
            return None
        return OptInTag(
            self.text(content.get("key"), "opt_in.key"), self.text(content.get("value"), "opt_in.value")
        )

    def limits(self, raw: object) -> Limits | None:
        keys = {"forecast_age_hours", "catch_up_minutes", "feed_silence_days", "coverage_tolerance"}
        content = self.mapping(raw, "limits", keys)
        if content is None:
            return None
        hours = self.whole(content.get("forecast_age_hours"), "limits.forecast_age_hours", least=1, most=24 * 31)
        minutes = self.whole(content.get("catch_up_minutes"), "limits.catch_up_minutes", least=1, most=24 * 60)
        days = self.whole(content.get("feed_silence_days"), "limits.feed_silence_days", least=1, most=366)
        tolerance = content.get("coverage_tolerance")
        if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 < tolerance < 1:
            self.problem("limits.coverage_tolerance", "must be a share between 0 and 1")
            return None
        if hours is None or minutes is None or days is None:
            return None
        return Limits(timedelta(hours=hours), timedelta(minutes=minutes), timedelta(days=days), float(tolerance))

    def mapping(self, raw: object, path: str, keys: set[str] | None) -> Mapping[str, Any] | None:
        if not isinstance(raw, Mapping) or not all(isinstance(key, str) for key in raw):
            self.problem(path, "must be an object")
            return None
        prefix = "" if path == "$" else f"{path}."
        if keys is not None:
            for key in sorted(set(raw) - keys):
                self.problem(f"{prefix}{key}", "is not a key of a policy")
        return raw

    def items[T](self, raw: object, path: str, read: Callable[[object, str], T | None]) -> tuple[T, ...]:
        if not isinstance(raw, list) or len(raw) > MAX_ROWS:
            self.problem(path, f"must be a list of at most {MAX_ROWS}")
            return ()
        found = (read(item, f"{path}[{index}]") for index, item in enumerate(raw))
        return tuple(item for item in found if item is not None)

    def whole(self, raw: object, path: str, *, least: int, most: int = 1_000_000) -> int | None:
        if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
            self.problem(path, f"must be a whole number from {least} to {most}")
            return None
        return raw

    def text(self, raw: object, path: str) -> str:
        if not isinstance(raw, str) or not 1 <= len(raw) <= 128:
            self.problem(path, "must be a text of 1 to 128 characters")
            return ""
        return raw

    def flag(self, raw: object, path: str) -> bool | None:
        if not isinstance(raw, bool):
            self.problem(path, "must be true or false")
            return None
        return raw

    def repeats(self, names: list[str], path: str, message: str) -> None:
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.problem(path, f"{message}: {name}")
