"""Recording many events of one request, some thousand at a time, while the rest still arrives."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any

from ledger.api.bulk_items import Item, not_json
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.outcome import CONFLICT, DUPLICATE, RECORDED, REJECTED, Outcome
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.domain.token import TokenIdentity
from ledger.services.record import record

# One transaction each: what arrived before a broken connection stays recorded, and sending all again is harmless.
ITEMS_PER_TRANSACTION = 5000


@dataclass(slots=True)
class BulkReport:
    """What became of every item so far."""

    with_results: bool
    read: int = 0
    parseable: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, index: int, problems: Sequence[FieldProblem]) -> None:
        self._count(index, Outcome(REJECTED, "", None, tuple(problems)))

    def add(self, index: int, outcome: Outcome) -> None:
        if outcome.status == REJECTED or self.with_results:
            self._count(index, outcome)
        else:
            self.counts[outcome.status] += 1

    def _count(self, index: int, outcome: Outcome) -> None:
        self.counts[outcome.status] += 1
        errors = [{"index": index, "field": p.field, "message": p.message} for p in outcome.problems]
        if outcome.status == REJECTED:
            self.rejected += errors
        if self.with_results:
            self.results.append(
                {
                    "index": index,
                    "status": outcome.status,
                    "event_id": outcome.event_id or None,
                    "errors": errors,
                }
            )

    def json(self) -> bytes:
        report: dict[str, Any] = {
            "read": self.read,
            "recorded": self.counts[RECORDED],
            "duplicates": self.counts[DUPLICATE],
            "conflicts": self.counts[CONFLICT],
            "rejected": sorted(self.rejected, key=lambda error: error["index"]),
        }
        if self.with_results:
            report["results"] = sorted(self.results, key=lambda result: result["index"])
        return json.dumps(report, ensure_ascii=False).encode("utf-8", "backslashreplace")


def record_items(
    items: Iterator[Item], *, identity: TokenIdentity, now: datetime, with_results: bool
) -> BulkReport:
    """Record items as they come and return the report.

    Raises:
        Problem: 400 when not a single item is JSON; nothing was recorded then.
    """
    report = BulkReport(with_results)
    for batch in batched(items, ITEMS_PER_TRANSACTION):
        _record_batch(batch, report=report, identity=identity, now=now)
    if report.parseable == 0:
        first = report.rejected[0]["message"] if report.rejected else "is empty"
        raise not_json(first)
    return report


def _record_batch(batch: Sequence[Item], *, report: BulkReport, identity: TokenIdentity, now: datetime) -> None:
    drafts: list[EventDraft] = []
    places: list[int] = []
    for item in batch:
        report.read += 1
        if item.problem is not None:
            report.reject(item.index, (FieldProblem("", item.problem),))
            continue
        report.parseable += 1
        try:
            drafts.append(parse_event(item.value, now=now))
        except InvalidEvent as error:
            report.reject(item.index, error.errors)
        else:
            places.append(item.index)
    outcomes = record(company_id=identity.company_id, drafts=drafts, actor=identity.actor, now=now)
    for index, outcome in zip(places, outcomes, strict=True):
        report.add(index, outcome)
