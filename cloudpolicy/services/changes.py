"""What runs have changed in the cloud: which steps, on which groups, on which days."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from cloudpolicy.models.run import Phase, RunState, ScalingRun, StepEntry

GroupKey = tuple[str, str, str]
_MADE = frozenset({Phase.MADE, Phase.FOUND_MADE, Phase.THERE})
# What stands there because of us, arrived or not. What somebody else has changed since is theirs.
_OURS = frozenset({Phase.THERE, Phase.MADE, Phase.FOUND_MADE, Phase.LATE})


@dataclass(frozen=True, slots=True)
class Change:
    """What a run has changed.

    Attributes:
        steps: places of the calls that the cloud has carried out because of this run and nobody undid meanwhile.
        groups: of those steps.
        touched: of all that the cloud was asked for, also where nobody knows what came of it.
        first, last: UTC days on which it began and ended.
    """

    run: ScalingRun
    steps: tuple[int, ...]
    groups: frozenset[GroupKey]
    touched: frozenset[GroupKey]
    first: date
    last: date

    def window_after(self, days: int) -> tuple[date, date]:
        """So many days after it, half-open; the day on which it ended is neither before nor after."""
        start = self.last + timedelta(days=1)
        return start, start + timedelta(days=days)


def changes_of(*, company_id: int) -> tuple[Change, ...]:
    """Every ended run of a company that changed something, or may have, the oldest first. Two queries."""
    runs = ScalingRun.objects.filter(company_id=company_id).exclude(state=RunState.OPEN).order_by("id")
    runs = runs.select_related("plan")
    phases: dict[int, dict[int, list[str]]] = {}
    for run_id, step, phase in (
        StepEntry.objects.filter(run__in=runs).order_by("run_id", "line").values_list("run_id", "step", "phase")
    ):
        phases.setdefault(run_id, {}).setdefault(step, []).append(phase)
    found = []
    for run in runs:
        told = phases.get(run.pk, {})
        # A step that was there already is nobody's saving.
        made = {step for step, said in told.items() if not _MADE.isdisjoint(said)}
        steps = tuple(step for step in sorted(made) if told[step][-1] in _OURS)
        touched = made | {step for step, said in told.items() if said[-1] == Phase.INTENT}
        if not touched or run.ended_at is None or run.calls is None:
            continue
        found.append(
            Change(
                run,
                steps,
                _groups(run, steps),
                _groups(run, touched),
                run.started_at.astimezone(UTC).date(),
                run.ended_at.astimezone(UTC).date(),
            )
        )
    return tuple(found)


def overtaken_by(*, change: Change, days: int, changes: Sequence[Change]) -> Change | None:
    """The first later run that changed the same groups before so many days after a change were over."""
    _, stop = change.window_after(days)
    return next(
        (
            other
            for other in changes
            if other.run.pk > change.run.pk and other.first < stop and other.touched & change.groups
        ),
        None,
    )


def _groups(run: ScalingRun, steps: Collection[int]) -> frozenset[GroupKey]:
    return frozenset(
        (call.get("account", ""), call["region"], call["group"])
        for place, call in enumerate(run.calls or ())
        if place in steps
    )
