"""A scenario: changes that are made together."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from forecasting.scenarios.change import Change, InvalidScenario
from forecasting.scenarios.fields import read_fields
from forecasting.scenarios.registry import all_changes
from ledger.domain.problems import FieldProblem

MOST_CHANGES = 20


def read_changes(raw: object) -> tuple[Change, ...]:
    """The changes of a decoded JSON list.

    Raises:
        InvalidScenario: every problem with its place, e.g. `changes[1].share`.
    """
    if not isinstance(raw, list):
        raise InvalidScenario((FieldProblem("changes", "must be a list of changes"),))
    if len(raw) > MOST_CHANGES:
        message = f"has {len(raw)} changes; at most {MOST_CHANGES} are made together"
        raise InvalidScenario((FieldProblem("changes", message),))
    problems: list[FieldProblem] = []
    changes = [change for n, item in enumerate(raw) if (change := _read(item, n, problems)) is not None]
    if problems:
        raise InvalidScenario(tuple(problems))
    return tuple(changes)


def in_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """By rank, then by day, then by content: whoever lists them otherwise means the same."""
    return tuple(sorted(changes, key=lambda each: (each.RANK, str(each.in_force_from() or ""), canonical([each]))))


def canonical(changes: Sequence[Change]) -> str:
    """The changes as one text that differs whenever they do."""
    return json.dumps([each.to_json() for each in changes], sort_keys=True, separators=(",", ":"))


def digest(changes: Sequence[Change]) -> str:
    """SHA-256 of the changes, whatever order they are listed in."""
    return hashlib.sha256(canonical(in_order(changes)).encode()).hexdigest()


def _read(raw: object, n: int, problems: list[FieldProblem]) -> Change | None:
    path = f"changes[{n}]"
    if not isinstance(raw, Mapping):
        problems.append(FieldProblem(path, "must be an object with a kind"))
        return None
    wanted: Any = raw.get("kind")
    kind = all_changes().get(wanted) if isinstance(wanted, str) else None
    if kind is None:
        problems.append(FieldProblem(f"{path}.kind", f"must be one of {', '.join(all_changes())}"))
        return None
    before = len(problems)
    values = read_fields(kind, raw, path=path, problems=problems)
    return kind(**values) if len(problems) == before else None
