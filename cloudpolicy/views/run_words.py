"""Runs as people read them: what was asked of the cloud, what it answered, how far it is."""

from dataclasses import dataclass
from datetime import datetime

from cloudpolicy.models.run import Phase, RunKind, RunState
from cloudpolicy.selectors.runs import RunView, StepView
from cloudpolicy.services.run_pace import DOUBT
from cloudpolicy.services.waiting_runs import waits_for_worker
from cloudpolicy.views.call_words import Change, as_sentence, changes, place_words

_RUN_STATES = {"open": "busy", "done": "good", "partly": "warn", "stopped": "bad"}
_PHASES = {
    "waiting": ("waits for its turn", "unknown"),
    "intent": ("being asked at this moment", "busy"),
    "in_doubt": ("in doubt until it is looked at", "warn"),
    "made": ("asked; not seen in the cloud yet", "busy"),
    "found_made": ("found to be made; not seen in the cloud yet", "busy"),
    "not_made": ("found not to be made", "warn"),
    "put_off": ("put off, to be asked again", "warn"),
    "there": ("done, and seen in the cloud", "good"),
    "already": ("was so already", "good"),
    "refused": ("refused", "bad"),
    "changed": ("changed by somebody else", "bad"),
    "late": ("asked; not seen in the cloud in time", "bad"),
}
# What is said instead of a step that nothing more comes of, because its run has ended.
_ENDED_AS = {
    "waiting": "left undone: the run ended before",
    "put_off": "put off, and not asked again",
    "made": "asked; the run ended before it was seen in the cloud",
    "found_made": "found to be made; the run ended before it was seen in the cloud",
    "in_doubt": "in doubt: what became of it is found out by a roll-back",
}


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step.

    Attributes:
        said: where it stands.
        text: what the engine noted about it.
        without_id: what is said where the cloud gave no number of a request.
    """

    does: str
    group: str
    place: str
    changes: tuple[Change, ...]
    said: str
    state: str
    text: str
    at: datetime | None
    request_ids: tuple[str, ...]
    without_id: str


@dataclass(frozen=True, slots=True)
class RunCard:
    """A run in words.

    Attributes:
        state: good, warn, bad or busy.
        waits_for_worker: it should have gone on by now, and nobody has come for it.
        waits_until: when an open run that was put off goes on; None while it is at work.
    """

    run: RunView
    title: str
    state: str
    steps: tuple[StepRow, ...]
    waits_for_worker: bool = False

    @property
    def waits_until(self) -> datetime | None:
        is_put_off = self.run.is_open and self.run.because and not self.waits_for_worker
        return self.run.resume_at if is_put_off else None


def run_card(run: RunView, *, company_id: int, now: datetime) -> RunCard:
    subject = f"Plan {run.plan_id}" if run.kind == RunKind.APPLY else f"Roll-back of plan {run.plan_id}"
    waits = waits_for_worker(company_id=company_id, run=run, now=now)
    return RunCard(
        run=run,
        title=f"{subject}: {run.said}",
        state="warn" if waits else _RUN_STATES[run.state],
        steps=tuple(_step(step, is_open=run.is_open, now=now) for step in run.steps),
        waits_for_worker=waits,
    )


def may_be_undone(runs: tuple[RunView, ...]) -> bool:
    """Whether one of a plan's runs has changed something that nobody has taken back, or is taking back."""
    if any(run.kind == RunKind.ROLLBACK and run.is_open for run in runs):
        return False
    taken_back = {run.undoes for run in runs if run.state == RunState.DONE}
    applied = [run for run in runs if run.kind == RunKind.APPLY and run.run_id not in taken_back]
    return any(step.asked for run in applied for step in run.steps)


def _step(step: StepView, *, is_open: bool, now: datetime) -> StepRow:
    phase = step.phase
    if phase == Phase.INTENT and not (is_open and step.at is not None and now - step.at < DOUBT):
        phase = "in_doubt"
    said, state = _PHASES.get(phase, (phase, "unknown"))
    if not is_open:
        said = _ENDED_AS.get(phase, said)
        state = "warn" if state == "busy" else state
    return StepRow(
        does=as_sentence(step.says),
        group=step.group,
        place=place_words(step.account, step.region),
        changes=changes(step.before, step.after),
        said=said,
        state=state,
        text=step.text,
        at=step.at,
        request_ids=step.request_ids,
        without_id=_without_id(step, phase),
    )


def _without_id(step: StepView, phase: str) -> str:
    if not step.asked:
        return "not asked"
    return "no answer yet" if phase == Phase.INTENT else "the answer got lost"
