"""What became of every item of a bulk request, in bounded memory however many there are."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.api.problems import Problem
from ledger.domain.outcome import CONFLICT, DUPLICATE, RECORDED, REJECTED, Outcome
from ledger.domain.problems import FieldProblem

# Whoever sends a million bad lines learns more from the first ten thousand than from an answer of 200 MB.
MAX_REJECTED = 10_000
MAX_RESULTS = 200_000


@dataclass(slots=True)
class BulkReport:
    """Attributes:
    with_results: list every item's result too.
    parseable: items that were JSON at all.
    omitted: problems of rejected items that found no place any more.
    results: JSON texts with their index.
    """

    with_results: bool
    read: int = 0
    parseable: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    omitted: int = 0
    results: list[tuple[int, str]] = field(default_factory=list)

    def reject(self, index: int, problems: Sequence[FieldProblem]) -> None:
        self.add(index, Outcome(REJECTED, "", None, tuple(problems)))

    def add_recorded(self, places: Sequence[int], event_ids: Sequence[str]) -> None:
        """Note items that are all recorded."""
        if self.with_results:
            for index, event_id in zip(places, event_ids, strict=True):
                self.add(index, Outcome(RECORDED, event_id, None))
        else:
            self.counts[RECORDED] += len(places)

    def add(self, index: int, outcome: Outcome) -> None:
        """Note what became of one item.

        Raises:
            Problem: 413 when more results are asked for than fit into an answer.
        """
        self.counts[outcome.status] += 1
        if outcome.status != REJECTED and not self.with_results:
            return
        errors = [{"index": index, "field": p.field, "message": p.message} for p in outcome.problems]
        if outcome.status == REJECTED:
            room = max(MAX_REJECTED - len(self.rejected), 0)
            self.rejected += errors[:room]
            self.omitted += len(errors[room:])
        if self.with_results:
            self._add_result(index, outcome, errors)

    def _add_result(self, index: int, outcome: Outcome, errors: list[dict[str, Any]]) -> None:
        if len(self.results) >= MAX_RESULTS:
            raise Problem(
                413,
                f"With results=all an answer lists at most {MAX_RESULTS} items; those before are recorded. "
                "Send fewer at once, or ask for no results.",
            )
        event_id = outcome.event_id or None
        result = {"index": index, "status": outcome.status, "event_id": event_id, "errors": errors}
        self.results.append((index, json.dumps(result, ensure_ascii=False)))

    def json(self) -> bytes:
        report: dict[str, Any] = {
            "read": self.read,
            "recorded": self.counts[RECORDED],
            "duplicates": self.counts[DUPLICATE],
            "conflicts": self.counts[CONFLICT],
            "rejected": sorted(self.rejected, key=lambda error: error["index"]),
        }
        if self.omitted:
            report["rejected_omitted"] = self.omitted
        text = json.dumps(report, ensure_ascii=False)
        if self.with_results:
            results = ", ".join(result for _, result in sorted(self.results))
            text = f'{text[:-1]}, "results": [{results}]}}'
        return text.encode("utf-8", "backslashreplace")
