"""The journal of a run: where each step stands, and writing the next line before anything else happens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, models, transaction

from cloudpolicy.models.run import Phase, RunState, ScalingRun, StepEntry
from cloudpolicy.services.engine_lock import LockLost

# An engine that has written nothing for so long is taken for dead, and the sweep follows the run up.
LEASE = timedelta(minutes=2)
WAS_MADE = frozenset({Phase.MADE, Phase.FOUND_MADE})
FINISHED = frozenset({Phase.THERE, Phase.ALREADY})


@dataclass(slots=True)
class Step:
    """Where one step stands.

    Attributes:
        phase: of its last line; None before the first.
        since: when that was written.
        was_made: the cloud has done what was asked.
        before: settings found before the last intent.
        learned: values of placeholders.
    """

    phase: Phase | None = None
    since: datetime | None = None
    was_made: bool = False
    before: Mapping[str, Any] = field(default_factory=dict)
    learned: dict[str, Any] = field(default_factory=dict)

    @property
    def is_in_doubt(self) -> bool:
        """An intent is the last that is known."""
        return self.phase == Phase.INTENT

    def hear(self, entry: StepEntry) -> None:
        self.phase, self.since = Phase(entry.phase), entry.at
        if entry.phase == Phase.INTENT:
            self.before = entry.content["before"]
        self.was_made = self.was_made or entry.phase in WAS_MADE
        self.learned |= entry.content.get("learned", {})


class StepJournal:
    """The journal of one run, read once and then kept in step with what is written."""

    def __init__(self, run: ScalingRun) -> None:
        self.run = run
        self._steps: dict[int, Step] = {}
        self._lines = 0
        for entry in StepEntry.objects.filter(run=run).order_by("line"):
            self._hear(entry)

    def step(self, number: int) -> Step:
        return self._steps.setdefault(number, Step())

    @property
    def is_empty(self) -> bool:
        return self._lines == 0

    @property
    def changed_something(self) -> bool:
        return any(step.was_made or step.is_in_doubt for step in self._steps.values())

    def write(
        self,
        number: int,
        phase: Phase,
        *,
        now: datetime,
        text: str = "",
        kept: Sequence[models.Model | None] = (),
        **content: Any,
    ) -> None:
        """Commit the next line, and with it what to return to.

        Raises:
            LockLost: another engine has written that line.
        """
        entry = StepEntry(
            company_id=self.run.company_id,
            run=self.run,
            line=self._lines + 1,
            step=number,
            phase=phase,
            content=content,
            text=text[:400],
            at=now,
        )
        try:
            # Durable: what is about to be done must be known to whoever comes after a crash.
            with transaction.atomic(durable=True):
                entry.save(force_insert=True)
                for each in kept:
                    if each is not None:
                        each.save(force_insert=True)
                self._stay_alive(now, phase)
        except IntegrityError as error:
            raise LockLost(f"line {entry.line} of run {self.run.pk} was written by another engine") from error
        self._hear(entry)

    def _stay_alive(self, now: datetime, phase: Phase) -> None:
        # Whoever writes is at work: what put the run off before is over.
        values: dict[str, Any] = {"resume_at": now + LEASE, "outcome": ""}
        if phase in WAS_MADE:
            values["attempts"] = 0
        ScalingRun.objects.filter(pk=self.run.pk, state=RunState.OPEN).update(**values)

    def _hear(self, entry: StepEntry) -> None:
        self._lines = entry.line
        self.step(entry.step).hear(entry)
