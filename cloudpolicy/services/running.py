"""The engine: it makes the calls of a run, one after the other, and can be killed at any point.

Each step: look at the group, compare it with what the plan saw, commit the intent, ask once, commit the answer,
look until it is there (`run_steps.py`). Steps follow each other, so that what grows is there before anything
shrinks.
"""

from datetime import datetime, timedelta

from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, RunState, ScalingRun
from cloudpolicy.services.clouds import Clouds
from cloudpolicy.services.engine_at_work import EngineAtWork
from cloudpolicy.services.engine_lock import engine_lock
from cloudpolicy.services.exclusions import exclude_after_choice
from cloudpolicy.services.held_resources import release_after_run
from cloudpolicy.services.next_look import look_again
from cloudpolicy.services.policies import opt_in_tag
from cloudpolicy.services.rollback_calls import need_all_taken_back, prepare_rollback
from cloudpolicy.services.run_pace import MAX_ATTEMPTS, WORK_FOR, Clock, RunEnds, RunIsPutOff, wait_before
from cloudpolicy.services.run_steps import RunSteps
from cloudpolicy.services.runs import end_run
from cloudpolicy.services.sizes import clear_restored
from cloudpolicy.services.standing_plans import calls_of, void_because
from cloudpolicy.services.step_journal import StepJournal
from cloudpolicy.services.suspended_processes import release_processes_after_run
from ledger.selectors.companies import company_ref


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
            engine = EngineAtWork(
                company_id=run.company_id,
                lock=lock,
                clock=clock,
                until=clock.now() + work_for,
                clouds=Clouds(company_ref(company_id=run.company_id).slug),
                opt_in=opt_in_tag(company_id=run.company_id),
            )
            _RunAtWork(run, engine).work()
    run.refresh_from_db()
    return run


class _RunAtWork:
    """A run while an engine is at work on it."""

    def __init__(self, run: ScalingRun, engine: EngineAtWork) -> None:
        self.run, self.engine = run, engine
        self.steps = RunSteps(engine, run, StepJournal(run))

    def work(self) -> None:
        try:
            self._go_on()
        except RunIsPutOff as later:
            self._put_off(later)
        except RunEnds as end:
            self._end(self._state_when_ended_early(), str(end))
        else:
            self._end(RunState.DONE, "")

    def _go_on(self) -> None:
        """Do all that is left.

        Raises:
            RunEnds, RunIsPutOff
        """
        # An answer that got lost is found out about even where nothing more may be done: looking changes nothing.
        self.steps.settle_all()
        if self.run.kind == RunKind.ROLLBACK:
            prepare_rollback(run=self.run, engine=self.engine)
            self.steps = RunSteps(self.engine, self.run, self.steps.journal)
        self.engine.permit()
        if self.run.kind == RunKind.APPLY:
            self._need_plan_to_stand()
        self.steps.compare_all()
        for number in range(len(self.steps.calls)):
            self.steps.finish(number)
        if self.run.kind == RunKind.ROLLBACK:
            need_all_taken_back(run=self.run, engine=self.engine)

    def _need_plan_to_stand(self) -> None:
        void = void_because(plan=self.run.plan, now=self.engine.clock.now())
        if void:
            raise RunEnds(void)

    def _put_off(self, later: RunIsPutOff) -> None:
        """Have the run go on later: after as long as is said, else after longer with every time in a row."""
        attempts, after = self.run.attempts, later.after
        if after is None:
            attempts = ScalingRun.objects.values_list("attempts", flat=True).get(pk=self.run.pk) + 1
            if attempts > MAX_ATTEMPTS:
                self._end(self._state_when_ended_early(), f"given up after {MAX_ATTEMPTS} attempts: {later}")
                return
            after = wait_before(attempt=attempts)
        ScalingRun.objects.filter(pk=self.run.pk, state=RunState.OPEN).update(
            attempts=attempts, resume_at=self.engine.clock.now() + after, outcome=str(later)[:500]
        )

    def _state_when_ended_early(self) -> RunState:
        return RunState.PARTLY if self.steps.journal.changed_something else RunState.STOPPED

    def _end(self, state: RunState, outcome: str) -> None:
        """Close the run, and have the groups looked at: what it did is a decision's ground, however it ended."""
        now = self.engine.clock.now()
        self._remember(now)
        if state == RunState.DONE and self.run.kind == RunKind.APPLY:
            ScalingPlan.objects.filter(pk=self.run.plan_id, applied_at__isnull=True).update(applied_at=now)
        end_run(self.run, state, outcome=outcome, now=now)
        look_again(company_id=self.run.company_id, now=now)

    def _remember(self, now: datetime) -> None:
        """What a run leaves to remember when it ends, however it ends, also before it went on."""
        steps = self.steps
        unfinished, made = steps.unfinished(), steps.maybe_made()
        clear_restored(run=self.run, calls=steps.calls, unfinished=unfinished, now=now)
        release_after_run(run=self.run, calls=steps.calls, unfinished=unfinished, made=made, now=now)
        release_processes_after_run(run=self.run, calls=steps.calls, unfinished=unfinished, made=made, now=now)
        exclude_after_choice(run=self.run, calls=[steps.calls[place] for place in sorted(made)], now=now)
