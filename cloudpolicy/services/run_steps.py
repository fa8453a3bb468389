"""The steps of one run, at the cloud: each compared, made once, and looked at until it is there.

A step of which only the intent is known is in doubt, and doubt is settled by looking: what is as the call wanted
it was made, what is as it was before was not. Anything else was somebody, and ends the run.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NoReturn

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.action import Action, Observed
from cloudpolicy.engine.call import ApiCall, parse_call, place_of, resolved
from cloudpolicy.engine.cloud import Cloud
from cloudpolicy.engine.setting import setting_name, setting_value
from cloudpolicy.models.run import Phase, ScalingRun
from cloudpolicy.services.aws import CloudUnavailable, one_line_errors
from cloudpolicy.services.engine_at_work import EngineAtWork
from cloudpolicy.services.held_resources import resource_to_hold
from cloudpolicy.services.run_pace import (
    ARRIVE_WITHIN,
    DOUBT,
    GIVE_UP_AFTER,
    LOOK_EVERY,
    LOOK_LATER,
    RunEnds,
    RunIsPutOff,
)
from cloudpolicy.services.sizes import size_to_keep
from cloudpolicy.services.step_journal import FINISHED, StepJournal
from cloudpolicy.services.suspended_processes import processes_to_note


class RunSteps:
    """The steps of one run, at the cloud."""

    def __init__(self, engine: EngineAtWork, run: ScalingRun, journal: StepJournal) -> None:
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
            raise RunEnds(f"it cannot be resumed: {unknown_action(call)}")
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
                raise RunIsPutOff(text)
        elif unavailable.passes:
            self._write(number, Phase.PUT_OFF, text, **answer)
            raise RunIsPutOff(text)
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
                raise RunIsPutOff(f"{waited}; it is looked at again later", after=LOOK_LATER)
            self.engine.wait(LOOK_EVERY, f"{call.group}: {progress}")

    def _compare(self, number: int, call: ApiCall) -> Observed:
        """The group as it is: as the plan saw it, or as it should be. Else the run ends."""
        observed = self._observe(number, call)
        if observed is None:
            self._end(number, Phase.CHANGED, f"{call.group} is gone")
        tag = self.engine.opt_in
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
                raise RunIsPutOff(f"{call.group}: {unavailable}") from unavailable
            # Groups of several accounts may share a name.
            where = f" in {call.account}, {call.region}" if call.account else ""
            raise RunEnds(f"{call.group}{where} cannot be read: {unavailable}") from unavailable

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
        raise RunEnds(text)


def unknown_action(call: ApiCall) -> str:
    return f"what is to be done about {call.group} is not known here any more: there is no action {call.action!r}"


def _changed(call: ApiCall, observed: Observed | None) -> str:
    if observed is None:
        return f"{call.group} is gone"
    found = ", ".join(
        f"{setting_name(key)} {setting_value(key, value)}" for key, value in observed.settings.items()
    )
    return f"{call.group} was changed by somebody else since: it has {found}"
