"""What a roll-back asks of the cloud: the inverses of what a run has done, last first."""

from collections.abc import Iterator

from cloudpolicy.models.run import ScalingRun
from cloudpolicy.services.engine_at_work import EngineAtWork
from cloudpolicy.services.run_pace import RunEnds
from cloudpolicy.services.run_steps import RunSteps, unknown_action
from cloudpolicy.services.step_journal import FINISHED, StepJournal


def prepare_rollback(*, run: ScalingRun, engine: EngineAtWork) -> None:
    """Settle what is in doubt in the run that is taken back, and keep its calls, turned round, with the roll-back.

    One that has its calls already keeps them.

    Raises:
        RunEnds, RunIsPutOff: what is in doubt cannot be settled, now or at all.
    """
    if run.calls is not None:
        return
    undone = _undone(run)
    journal = StepJournal(undone)
    done = RunSteps(engine, undone, journal)
    done.settle_all()
    back = []
    for number in reversed(range(len(done.calls))):
        step = journal.step(number)
        if not step.was_made or not done.knows(number):
            continue
        call = done.call(number)
        inverse = done.action(call).inverse(call, step.before)
        if inverse is not None:
            back.append(inverse.as_dict() | {"because": f"roll back of plan {run.plan_id}"})
    # An earlier attempt that ended half-way has changed groups, too; what it has set back is done.
    for done_already in _taken_back(run, undone, engine):
        if done_already in back:
            back.remove(done_already)
    run.calls = back
    run.save(update_fields=["calls"])


def need_all_taken_back(*, run: ScalingRun, engine: EngineAtWork) -> None:
    """Raises RunEnds: the roll-back had to leave something out. It can be begun again once that is known."""
    undone = _undone(run)
    done = RunSteps(engine, undone, StepJournal(undone))
    for number in sorted(done.maybe_made()):
        if not done.knows(number):
            raise RunEnds(f"all else is taken back, and {unknown_action(done.calls[number])}")


def _taken_back(run: ScalingRun, undone: ScalingRun, engine: EngineAtWork) -> Iterator[dict[str, object]]:
    """The calls of earlier roll-backs of a run that the cloud has carried out."""
    for earlier in ScalingRun.objects.filter(undoes=undone, pk__lt=run.pk).order_by("pk"):
        journal = StepJournal(earlier)
        steps = RunSteps(engine, earlier, journal)
        steps.settle_all()
        for number, call in enumerate(earlier.calls or ()):
            step = journal.step(number)
            if step.was_made or step.phase in FINISHED:
                yield call


def _undone(run: ScalingRun) -> ScalingRun:
    assert run.undoes is not None
    return run.undoes
