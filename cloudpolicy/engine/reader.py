"""Reading a document's values with every problem named by its path."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

TEXT_LENGTH = 128
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """What is wrong, and where: `path` is a JSON path such as `rows[2].capacity.min`."""

    path: str
    message: str


class Reader:
    """Collects problems while it reads, so that a document is refused once and not key by key.

    What cannot be read comes back as None, or as an empty text or list; the problem is noted.
    """

    def __init__(self) -> None:
        self.problems: list[PolicyProblem] = []

    def problem(self, path: str, message: str) -> None:
        self.problems.append(PolicyProblem(path, message))

    def mapping(self, raw: object, path: str, keys: Collection[str] | None) -> Mapping[str, Any] | None:
        """Read an object. With `keys`, any other key is a problem."""
        if not isinstance(raw, Mapping) or not all(isinstance(key, str) for key in raw):
            self.problem(path, "must be an object")
            return None
        prefix = "" if path == "$" else f"{path}."
        if keys is not None:
            for key in sorted(set(raw) - set(keys)):
                self.problem(f"{prefix}{key}", "is not a key of a policy")
        return raw

    def items[T](
        self, raw: object, path: str, read: Callable[[object, str], T | None], *, most: int
    ) -> tuple[T, ...]:
        if not isinstance(raw, list) or len(raw) > most:
            self.problem(path, f"must be a list of at most {most}")
            return ()
        found = [read(item, f"{path}[{index}]") for index, item in enumerate(raw)]
        return tuple(item for item in found if item is not None)

    def whole(self, raw: object, path: str, *, least: int, most: int = 1_000_000) -> int | None:
        if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
            self.problem(path, f"must be a whole number from {least} to {most}")
            return None
        return raw

    def share(self, raw: object, path: str) -> float | None:
        # A NaN compares false.
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw < 1:
            self.problem(path, "must be a share between 0 and 1")
            return None
        return float(raw)

    def text(self, raw: object, path: str) -> str:
        if (
            not isinstance(raw, str)
            or not 1 <= len(raw) <= TEXT_LENGTH
            or not raw.isprintable()
            or not raw.strip()
        ):
            self.problem(path, f"must be a text of 1 to {TEXT_LENGTH} characters in one line")
            return ""
        return raw

    def flag(self, raw: object, path: str) -> bool | None:
        if not isinstance(raw, bool):
            self.problem(path, "must be true or false")
            return None
        return raw

    def one_of(self, raw: object, path: str, choices: Collection[str]) -> str | None:
        if not isinstance(raw, str) or raw not in choices:
            self.problem(path, f"must be one of {', '.join(choices)}")
            return None
        return raw

    def day(self, raw: object, path: str) -> date | None:
        if isinstance(raw, str) and _DAY.fullmatch(raw):
            try:
                return date.fromisoformat(raw)
            except ValueError:
                pass
        self.problem(path, "must be a day such as 2026-12-24")
        return None

    def time_of_day(self, raw: object, path: str) -> time | None:
        if not isinstance(raw, str) or not _TIME.fullmatch(raw):
            self.problem(path, "must be a time from 00:00 to 23:59")
            return None
        return time.fromisoformat(raw)

    def repeats(self, names: list[str], path: str, message: str) -> None:
        for name in sorted(name for name, count in Counter(names).items() if count > 1):
            self.problem(path, f"{message}: {name}")
