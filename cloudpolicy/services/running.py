"""The engine: it makes the calls of a run, one after the other, and can be killed at any point.

Each step: look at the group, compare it with what the plan saw, commit the intent, ask once, commit the answer,
look until it is there. A step of which only the intent is known is in doubt, and doubt is settled by looking: what
is as the call wanted it was made, what is as it was before was not. Anything else was somebody, and ends the run.

Steps follow each other, so that what grows is there before anything shrinks.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, NoReturn

from django.utils import timezone

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.action import Action, Observed
from cloudpolicy.engine.call import ApiCall, parse_call, place_of, resolved
from cloudpolicy.engine.cloud import Cloud
from cloudpolicy.engine.policy import OptInTag
from cloudpolicy.engine.setting import setting_name, setting_value
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import Phase, RunKind, RunState, ScalingRun
from cloudpolicy.selectors.kill_switch import kill_switch
from cloudpolicy.services.aws import CloudUnavailable, one_line_errors
from cloudpolicy.services.clouds import Clouds
from cloudpolicy.services.engine_lock import EngineLock, engine_lock
from cloudpolicy.services.exclusions import exclude_after_choice
from cloudpolicy.services.held_resources import release_after_run, resource_to_hold
from cloudpolicy.services.next_look import look_again
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.runs import end_run
from cloudpolicy.services.sizes import clear_restored, size_to_keep
from cloudpolicy.services.standing_plans import calls_of, void_because
from cloudpolicy.services.step_journal import FINISHED, StepJournal
from cloudpolicy.services.suspended_processes import processes_to_note, release_processes_after_run
from ledger.selectors.companies import company_ref

# A request whose answer got lost may still be under way for so long: only then does looking settle it.
DOUBT = timedelta(seconds=20)
LOOK_EVERY = timedelta(seconds=5)
# What is not there by then, as a database that stops may be, is looked at now and then, and given up in the end.
ARRIVE_WITHIN = timedelta(minutes=15)
LOOK_LATER = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=2)
# Others wait for the worker, too: what takes longer goes on in another job.
WORK_FOR = timedelta(minutes=1)
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=15)
MAX_ATTEMPTS = 12

_chance = SystemRandom()


@dataclass(frozen=True, slots=True)
class Clock:
    """The time, and waiting for it; tests have their own."""

    now: Callable[[], datetime] = timezone.now
    sleep: Callable[[float], None] = time.sleep


class _End(Exception):
    """The run ends here; the message says why."""


class _Pause(Exception):
    """The run goes on later."""

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


def work_on(*, run_id: int, clock: Clock | None = None, work_for: timedelta = WORK_FOR) -> ScalingRun:
    """Carry a run on as far as it goes in a while. Returns it, ended or open; an open one goes on at `resume_at`.

    Raises:
        EngineBusy: another engine is at work on one of its cloud accounts.
        LockLost: the database ended the session that holds the lock. Nothing more was asked of the cloud.
    """
    clock = clock or Clock()
    run = ScalingRun.objects.select_related("plan__policy", "undoes").get(pk=run_id)
    accounts = {call.account for call in calls_of(run.plan)}
    with engine_lock(company_id=run.company_id, accounts=accounts) as lock:
        run.refresh_from_db(fields=["state", "calls", "attempts", "resume_at", "outcome"])
        if run.state == RunState.OPEN:
            _Engine(run, lock, clock, clock.now() + work_for).work()
    run.refresh_from_db()
    return run


class _Engine:
    def __init__(self, run: ScalingRun, lock: EngineLock, clock: Clock, until: datetime) -> None:
        self.run, self.lock, self.clock, self.until = run, lock, clock, until
        self.clouds = Clouds(company_ref(company_id=run.company_id).slug)
        self.opt_in = policy_in_force(company_id=run.company_id, now=clock.now()).policy.opt_in

    def work(self) -> None:
        journal = StepJournal(self.run)
        steps = _Steps(self, self.run, journal)
        try:
            self.permit()
            if self.run.kind == RunKind.APPLY:
                # An answer that got lost is found out about even where nothing more may be done.
                steps.settle_all()
                self._still_stands()
            else:
                self._prepare_rollback()
                steps = _Steps(self, self.run, journal)
            steps.compare_all()
            for number in range(len(steps.calls)):
                steps.finish(number)
            self._need_all_taken_back()
            outcome, state = "", RunState.DONE
        except _Pause as pause:
            self._pause(pause, steps)
            return
        except _End as end:
            outcome = str(end)
            state = RunState.PARTLY if journal.changed_something else RunState.STOPPED
        now = self.clock.now()
        self._remember(steps, now)
        if state == RunState.DONE and self.run.kind == RunKind.APPLY:
            ScalingPlan.objects.filter(pk=self.run.plan_id, applied_at__isnull=True).update(applied_at=now)
        self._end_run(state, outcome, now)

    def _end_run(self, state: RunState, outcome: str, now: datetime) -> None:
        """Close the run, and have the groups looked at: what it did is a decision's ground, however it ended."""
        end_run(self.run, state, outcome=outcome, now=now)
        look_again(company_id=self.run.company_id, now=now)

    def _remember(self, steps: "_Steps", now: datetime) -> None:
        """What a run leaves to remember when it ends, however it ends, also before it went on."""
        unfinished, made = steps.unfinished(), steps.maybe_made()
        clear_restored(run=self.run, calls=steps.calls, unfinished=unfinished, now=now)
        release_after_run(run=self.run, calls=steps.calls, unfinished=unfinished, made=made, now=now)
        release_processes_after_run(run=self.run, calls=steps.calls, unfinished=unfinished, made=made, now=now)
        exclude_after_choice(run=self.run, calls=[steps.calls[place] for place in sorted(made)], now=now)

    def permit(self) -> None:
        """Asked before every call: may this engine change anything at this moment?"""
        self.lock.check()
        switch = kill_switch(company_id=self.run.company_id)
        if switch.on:
            raise _End(switch.because)

    def _still_stands(self) -> None:
        void = void_because(plan=self.run.plan, now=self.clock.now())
        if void:
            raise _End(void)

    def _prepare_rollback(self) -> None:
        """Settle what is in doubt in the run that is taken back, and turn its calls round."""
        undone = self.run.undoes
        assert undone is not None
        if self.run.calls is not None:
            return
        journal = StepJournal(undone)
        done = _Steps(self, undone, journal)
        done.settle_all()
        back = []
        for number in reversed(range(len(done.calls))):
            step = journal.step(number)
            if not step.was_made or not done.knows(number):
                continue
            call = done.call(number)
            inverse = done.action(call).inverse(call, step.before)
            if inverse is not None:
                back.append(inverse.as_dict() | {"because": f"roll back of plan {self.run.plan_id}"})
        # An earlier attempt that ended half-way has changed groups, too; what it has set back is done.
        for done_already in self._taken_back(undone):
            if done_already in back:
                back.remove(done_already)
        self.run.calls = back
        self.run.save(update_fields=["calls"])

    def _need_all_taken_back(self) -> None:
        """A roll-back that had to leave something out is not done, and can be begun again once that is known."""
        undone = self.run.undoes
        if undone is None:
            return
        done = _Steps(self, undone, StepJournal(undone))
        for number in sorted(done.maybe_made()):
            if not done.knows(number):
                raise _End(f"all else is taken back, and {_unknown(done.calls[number])}")

    def _taken_back(self, undone: ScalingRun) -> Iterator[dict[str, object]]:
        """The calls of earlier roll-backs of a run that the cloud has carried out."""
        for earlier in ScalingRun.objects.filter(undoes=undone, pk__lt=self.run.pk).order_by("pk"):
            journal = StepJournal(earlier)
            steps = _Steps(self, earlier, journal)
            steps.settle_all()
            for number, call in enumerate(earlier.calls or ()):
                step = journal.step(number)
                if step.was_made or step.phase in FINISHED:
                    yield call

    def wait(self, pause: timedelta, reason: str) -> None:
        """Sleep, or end the work for now when there is no time left for it."""
        if self.clock.now() + pause > self.until:
            raise _Pause(reason, after=pause)
        self.clock.sleep(pause.total_seconds())

    def _pause(self, pause: _Pause, steps: "_Steps") -> None:
        """Put the run off: for as long as the pause says, else longer with every time in a row."""
        now, attempts = self.clock.now(), self.run.attempts
        after = pause.after
        if after is None:
            attempts = ScalingRun.objects.values_list("attempts", flat=True).get(pk=self.run.pk) + 1
            if attempts > MAX_ATTEMPTS:
                state = RunState.PARTLY if steps.journal.changed_something else RunState.STOPPED
                self._remember(steps, now)
                self._end_run(state, f"given up after {MAX_ATTEMPTS} attempts: {pause}", now)
                return
            # With jitter, so that those who were throttled together do not come back together.
            after = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempts - 1)) * _chance.uniform(0.75, 1.25)
        ScalingRun.objects.filter(pk=self.run.pk, state=RunState.OPEN).update(
            attempts=attempts, resume_at=now + after, outcome=str(pause)[:500]
        )


class _Steps:
    """The steps of one run, at the cloud."""

    def __init__(self, engine: _Engine, run: ScalingRun, journal: StepJournal) -> None:
        self.engine, self.run, self.journal = engine, run, journal
        self.calls = tuple(parse_call(call) for call in run.calls or ())
        self.actions: Mapping[str, Action] = {action.name: action for action in all_actions()}

    def knows(self, number: int) -> bool:
        """Whether the action of a step is registered. The version that planned it may have had others."""
        return self.calls[number].action in self.actions

    def action(self, call: ApiCall) -> Action:
        """What makes a call. An action that is gone ends the run: coming back would not help."""
        found = self.actions.get(call.action)
        if found is None:
            raise _End(f"it cannot be resumed: {_unknown(call)}")
        return found

    def unfinished(self) -> frozenset[int]:
        return frozenset(n for n in range(len(self.calls)) if self.journal.step(n).phase not in FINISHED)

    def maybe_made(self) -> frozenset[int]:
        """Places of the calls that the cloud has done, or may have done."""
        steps = ((n, self.journal.step(n)) for n in range(len(self.calls)))
        return frozenset(n for n, step in steps if step.was_made or step.is_in_doubt)

    def call(self, number: int) -> ApiCall:
        """The call with everything in it that earlier steps on its group, and its own, have settled."""
        planned = self.calls[number]
        learned: dict[str, object] = {}
        for earlier in range(number + 1):
            if place_of(self.calls[earlier]) == place_of(planned):
                learned |= self.journal.step(earlier).learned
        return resolved(planned, learned)

    def compare_all(self) -> None:
        """Before anything is changed: is every group as the plan saw it? One that is not voids the whole plan."""
        if not self.journal.is_empty:
            return
        for number in range(len(self.calls)):
            self._compare(number, self.call(number))

    def finish(self, number: int) -> None:
        """Bring a step to its end from wherever it stands."""
        step = self.journal.step(number)
        if step.is_in_doubt:
            self.settle(number)
        if step.phase in FINISHED:
            return
        if not step.was_made:
            self._make(number)
        if step.phase not in FINISHED:
            self._arrive(number)

    def settle_all(self) -> None:
        """Settle what is in doubt of a run that goes on no more, as far as its actions are still there."""
        for number in range(len(self.calls)):
            if self.journal.step(number).is_in_doubt and self.knows(number):
                self.settle(number)

    def settle(self, number: int) -> None:
        """Find out by looking what became of a call whose answer nobody knows."""
        step = self.journal.step(number)
        while True:
            call = self.call(number)
            observed = self._observe(number, call)
            if observed is not None and observed.settings == resolved(call, observed.learned).after:
                self._write(number, Phase.FOUND_MADE, learned=dict(observed.learned))
                return
            assert step.since is not None
            left = step.since + DOUBT - self.engine.clock.now()
            if left <= timedelta(0):
                break
            self.engine.wait(min(left, LOOK_EVERY), f"{call.group}: waiting for an answer that got lost")
        if observed is None:
            self._end(number, Phase.CHANGED, f"{call.group} is gone")
        elif observed.settings == step.before:
            self._write(number, Phase.NOT_MADE)
        else:
            self._end(number, Phase.CHANGED, _changed(call, observed))

    def _make(self, number: int) -> None:
        call = self.call(number)
        observed = self._compare(number, call)
        if observed.settings == resolved(call, observed.learned).after:
            self._write(number, Phase.ALREADY, learned=dict(observed.learned))
            return
        self.engine.permit()
        now = self.engine.clock.now()
        kept = (
            size_to_keep(run=self.run, call=call, now=now),
            resource_to_hold(run=self.run, call=call, before=observed.settings, now=now),
            *processes_to_note(run=self.run, call=call, before=observed.settings, now=now),
        )
        self.journal.write(number, Phase.INTENT, now=now, kept=kept, before=dict(observed.settings))
        try:
            with one_line_errors():
                receipt = self.action(call).perform(call, self._cloud(call), self._token(number))
        except CloudUnavailable as unavailable:
            self._not_answered(number, call, unavailable)
            return
        self._write(number, Phase.MADE, request_id=receipt.request_id, learned=dict(receipt.learned))

    def _not_answered(self, number: int, call: ApiCall, unavailable: CloudUnavailable) -> None:
        answer = {"code": unavailable.code, "request_id": unavailable.request_id}
        text = f"{call.group}: {unavailable}"
        if not unavailable.was_refused:
            self.settle(number)
            if self.journal.step(number).phase == Phase.NOT_MADE:
                raise _Pause(text)
        elif unavailable.passes:
            self._write(number, Phase.PUT_OFF, text, **answer)
            raise _Pause(text)
        else:
            self._end(number, Phase.REFUSED, text, **answer)

    def _arrive(self, number: int) -> None:
        """Look until what was asked for is there."""
        step, call = self.journal.step(number), self.call(number)
        made_at = step.since
        assert made_at is not None
        while True:
            now = self.engine.clock.now()
            observed = self._observe(number, call)
            as_asked = observed is not None and observed.settings == call.after
            if observed is not None and as_asked and observed.arrived:
                self._write(number, Phase.THERE, observed.progress)
                return
            # What was changed a moment ago may not be described yet.
            if not as_asked and now - made_at > DOUBT:
                self._end(number, Phase.CHANGED, _changed(call, observed))
            progress = observed.progress if observed is not None and as_asked else "not described yet"
            waited = (
                f"{call.group} is not there after {(now - made_at) // timedelta(minutes=1)} minutes: {progress}"
            )
            if now - made_at > GIVE_UP_AFTER:
                self._end(number, Phase.LATE, waited)
            self.engine.lock.check()
            if now - made_at > ARRIVE_WITHIN:
                raise _Pause(f"{waited}; it is looked at again later", after=LOOK_LATER)
            self.engine.wait(LOOK_EVERY, f"{call.group}: {progress}")

    def _compare(self, number: int, call: ApiCall) -> Observed:
        """The group as it is: as the plan saw it, or as it should be. Else the run ends."""
        observed = self._observe(number, call)
        if observed is None:
            self._end(number, Phase.CHANGED, f"{call.group} is gone")
        tag: OptInTag = self.engine.opt_in
        if observed.tags.get(tag.key) != tag.value:
            self._end(number, Phase.CHANGED, f"{call.group} no longer carries the tag {tag.key}={tag.value}")
        if observed.settings not in (call.before, resolved(call, observed.learned).after):
            self._end(number, Phase.CHANGED, _changed(call, observed))
        return observed

    def _observe(self, number: int, call: ApiCall) -> Observed | None:
        try:
            with one_line_errors():
                return self.action(call).observe(call, self._cloud(call), self._token(number))
        except CloudUnavailable as unavailable:
            if unavailable.passes:
                raise _Pause(f"{call.group}: {unavailable}") from unavailable
            # Groups of several accounts may share a name.
            where = f" in {call.account}, {call.region}" if call.account else ""
            raise _End(f"{call.group}{where} cannot be read: {unavailable}") from unavailable

    def _cloud(self, call: ApiCall) -> Cloud:
        return self.engine.clouds.at(account=call.account, region=call.region)

    def _token(self, number: int) -> str:
        run = self.run
        text = f"{run.company_id}:{run.pk}:{run.started_at.isoformat()}:{run.plan.digest}:{number}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _write(self, number: int, phase: Phase, text: str = "", **content: Any) -> None:
        self.journal.write(number, phase, now=self.engine.clock.now(), text=text, **content)

    def _end(self, number: int, phase: Phase, text: str, **content: object) -> NoReturn:
        self._write(number, phase, text, **content)
        raise _End(text)


def _unknown(call: ApiCall) -> str:
    return f"what is to be done about {call.group} is not known here any more: there is no action {call.action!r}"


def _changed(call: ApiCall, observed: Observed | None) -> str:
    if observed is None:
        return f"{call.group} is gone"
    found = ", ".join(
        f"{setting_name(key)} {setting_value(key, value)}" for key, value in observed.settings.items()
    )
    return f"{call.group} was changed by somebody else since: it has {found}"
