"""Runs as people, scripts and pages read them: what was asked, what the cloud answered, how far it is."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from cloudpolicy.engine.call import parse_call, resolved
from cloudpolicy.models.run import Phase, RunKind, RunState, ScalingRun, StepEntry
from cloudpolicy.selectors.plans import call_in_words

MAX_RUNS = 100
_ENDED_WELL = (Phase.THERE, Phase.ALREADY)
# The cloud has done it, seen there or not.
_CARRIED_OUT = (*_ENDED_WELL, Phase.MADE, Phase.FOUND_MADE)


@dataclass(frozen=True, slots=True)
class StepView:
    """One step.

    Attributes:
        says: what it does, in plain words.
        phase: `waiting` before its first line, else as `cloudpolicy.models.run.Phase` has it.
        text: for people; how far it is, or what stands against it.
        request_ids: the cloud's own numbers of what was asked, in order.
        asked: how often the cloud was asked to change something.
    """

    step: int
    action: str
    says: str
    account: str
    region: str
    group: str
    environment: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    phase: str
    text: str = ""
    at: datetime | None = None
    request_ids: tuple[str, ...] = ()
    asked: int = 0

    @property
    def is_done(self) -> bool:
        return self.phase in _ENDED_WELL


@dataclass(frozen=True, slots=True)
class RunView:
    """One run.

    Attributes:
        kind: `apply` or `rollback`.
        state: `open`, `done`, `partly` or `stopped`.
        said: the same in words: `partly applied`.
        because: what holds an open run up, or why one ended early; '' when nothing does.
        undoes: number of the run that a roll-back takes back.
    """

    run_id: int
    plan_id: int
    kind: str
    state: str
    said: str
    because: str
    actor: str
    reason: str
    started_at: datetime
    resume_at: datetime | None
    ended_at: datetime | None
    undoes: int | None
    steps: tuple[StepView, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        return self.state == RunState.OPEN

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        content = asdict(self) | {"done": self.done}
        for name in ("started_at", "resume_at", "ended_at"):
            content[name] = _iso(content[name])
        for step in content["steps"]:
            step["at"] = _iso(step["at"])
            step["request_ids"] = list(step["request_ids"])
        content["steps"] = list(content["steps"])
        return content


def list_runs(
    *, company_id: int, plan_id: int | None = None, limit: int = 20, before_id: int | None = None
) -> tuple[RunView, ...]:
    """A company's runs, newest first, each with its steps; of one plan, if asked so. Two queries, however many."""
    rows = ScalingRun.objects.filter(company_id=company_id).order_by("-id")
    if plan_id is not None:
        rows = rows.filter(plan_id=plan_id)
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    return _views(list(rows[: min(limit, MAX_RUNS)]))


def runs_of_plans(*, company_id: int, plan_ids: Collection[int]) -> dict[int, tuple[RunView, ...]]:
    """The runs of each of these plans that has any, newest first. Two queries, however many."""
    found: dict[int, list[RunView]] = {}
    for view in _views(
        list(ScalingRun.objects.filter(company_id=company_id, plan_id__in=plan_ids).order_by("-id"))
    ):
        found.setdefault(view.plan_id, []).append(view)
    return {plan_id: tuple(views) for plan_id, views in found.items()}


def _views(found: list[ScalingRun]) -> tuple[RunView, ...]:
    entries: dict[int, list[StepEntry]] = {}
    for entry in StepEntry.objects.filter(run__in=found).order_by("run_id", "line"):
        entries.setdefault(entry.run_id, []).append(entry)
    return tuple(_view(row, entries.get(row.pk, [])) for row in found)


def run_view(*, company_id: int, run_id: int) -> RunView | None:
    """One run; None when the company has none of that number."""
    row = ScalingRun.objects.filter(company_id=company_id, pk=run_id).first()
    return None if row is None else _view(row, list(StepEntry.objects.filter(run=row).order_by("line")))


def open_run(*, company_id: int) -> RunView | None:
    """What is under way; None when nothing is."""
    row = ScalingRun.objects.filter(company_id=company_id, state=RunState.OPEN).first()
    return None if row is None else run_view(company_id=company_id, run_id=row.pk)


def newest_run(*, company_id: int) -> RunView | None:
    """The run that was begun last, ended or not; None before the first."""
    return next(iter(list_runs(company_id=company_id, limit=1)), None)


def runs_to_resume(*, now: datetime) -> tuple[int, ...]:
    """Numbers of the open runs, of all companies, that should be looked after."""
    rows = ScalingRun.objects.filter(state=RunState.OPEN, resume_at__lte=now).order_by("resume_at")
    return tuple(rows.values_list("pk", flat=True))


def _view(row: ScalingRun, entries: list[StepEntry]) -> RunView:
    by_step: dict[int, list[StepEntry]] = {}
    for entry in entries:
        by_step.setdefault(entry.step, []).append(entry)
    steps = tuple(_step(number, call, by_step.get(number, [])) for number, call in enumerate(row.calls or ()))
    return RunView(
        run_id=row.pk,
        plan_id=row.plan_id,
        kind=row.kind,
        state=row.state,
        said=_said(row, steps),
        because=row.outcome,
        actor=row.actor,
        reason=row.reason,
        started_at=row.started_at,
        resume_at=row.resume_at,
        ended_at=row.ended_at,
        undoes=row.undoes_id,
        steps=steps,
    )


def _said(row: ScalingRun, steps: tuple[StepView, ...]) -> str:
    verb = "applied" if row.kind == RunKind.APPLY else "rolled back"
    some = any(step.phase in _CARRIED_OUT for step in steps)
    if row.state == RunState.DONE:
        return verb
    if row.state == RunState.STOPPED:
        return f"not {verb}"
    if row.state == RunState.PARTLY:
        return f"partly {verb}"
    doing = "applying" if row.kind == RunKind.APPLY else "rolling back"
    if row.attempts and row.outcome:
        return f"partly {verb}, goes on later" if some else f"{doing}, put off"
    return doing


def _step(number: int, call: Mapping[str, Any], entries: list[StepEntry]) -> StepView:
    last = entries[-1] if entries else None
    learned: dict[str, Any] = {}
    for entry in entries:
        learned |= entry.content.get("learned", {})
    made = resolved(parse_call(call), learned)
    return StepView(
        step=number,
        action=call["action"],
        says=call_in_words(made.as_dict()),
        account=call.get("account", ""),
        region=call["region"],
        group=call["group"],
        environment=call["environment"],
        before=call["before"],
        after=made.after,
        phase=last.phase if last else "waiting",
        text=last.text if last else "",
        at=last.at if last else None,
        request_ids=tuple(
            str(entry.content["request_id"]) for entry in entries if entry.content.get("request_id")
        ),
        asked=sum(entry.phase == Phase.INTENT for entry in entries),
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
