"""Which processes stand still because of us: noted before they are suspended, released once they run again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import models, transaction

from cloudpolicy.actions.suspend_processes import RESUME, RUNS, SUSPEND
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.group import Group
from cloudpolicy.models.run import RunKind, RunState, ScalingRun
from cloudpolicy.models.suspended_process import SuspendedProcess
from cloudpolicy.services.next_look import look_again
from cloudpolicy.services.planning_lock import lock_planning
from cloudpolicy.services.refusals import EngineBusy, NotAllowed, need_reason


def processes_to_note(
    *, run: ScalingRun, call: ApiCall, before: Mapping[str, Any], now: datetime
) -> tuple[SuspendedProcess, ...]:
    """What to keep with a call that suspends: the processes that ran until then."""
    if run.kind != RunKind.APPLY or call.permission != SUSPEND:
        return ()
    noted = set(_open(run.company_id, call).values_list("process", flat=True))
    return tuple(
        SuspendedProcess(
            company_id=run.company_id,
            plan=run.plan,
            account=call.account,
            region=call.region,
            group=call.group,
            process=process,
            suspended_at=now,
        )
        for process, state in before.items()
        if state == RUNS and process not in noted
    )


def release_processes_after_run(
    *, run: ScalingRun, calls: Sequence[ApiCall], unfinished: Collection[int], made: Collection[int], now: datetime
) -> None:
    """Release what a run has resumed, and note anew what a roll-back has suspended again.

    Args:
        unfinished: places of the calls that are not done.
        made: places of the calls that the cloud may have done.
    """
    for place, call in enumerate(calls):
        if call.permission not in (SUSPEND, RESUME):
            continue
        if call.permission == SUSPEND and run.kind == RunKind.APPLY:
            if place in unfinished and place not in made:
                # It was noted before the call, and nothing came of the call.
                _release(_open(run.company_id, call).filter(suspended_at__gte=run.started_at), now, None)
        elif place in unfinished:
            continue
        elif call.permission == SUSPEND:
            again = SuspendedProcess.objects.filter(released_by=run.undoes, **_places(run.company_id, call))
            again.update(released_at=None, released_by=None)
        else:
            _release(_open(run.company_id, call), now, run if run.kind == RunKind.APPLY else None)


def release_processes_found_running(*, company_id: int, groups: Iterable[Group], now: datetime) -> None:
    """Release what somebody else has resumed: suspended once more by a person, it is that person's."""
    suspended = {group.key: group.suspended for group in groups}
    for row in SuspendedProcess.objects.filter(company_id=company_id, released_at__isnull=True):
        if row.process not in suspended.get((row.account, row.region, row.group), {row.process}):
            _release(SuspendedProcess.objects.filter(pk=row.pk), now, None)


def leave_suspended(*, company_id: int, process_id: int, actor: str, reason: str, now: datetime) -> None:
    """Forget that a plan has suspended a process: it stays so, and whoever says that has to resume it.

    Raises:
        NotAllowed: without a reason, or the policy holds no such process.
        EngineBusy: a run is under way, which may be resuming it.
    """
    reason = need_reason(reason)
    with transaction.atomic():
        lock_planning(company_id)
        if ScalingRun.objects.filter(company_id=company_id, state=RunState.OPEN).exists():
            raise EngineBusy("a run is under way")
        rows = SuspendedProcess.objects.filter(company_id=company_id, pk=process_id, released_at__isnull=True)
        if not rows.update(released_at=now, left_because=f"{actor[:255]}: {reason}"):
            raise NotAllowed(f"the policy holds no process {process_id}")
        look_again(company_id=company_id, now=now)


def _release(rows: "models.QuerySet[SuspendedProcess]", now: datetime, run: ScalingRun | None) -> None:
    rows.update(released_at=now, released_by=run)


def _open(company_id: int, call: ApiCall) -> "models.QuerySet[SuspendedProcess]":
    return SuspendedProcess.objects.filter(released_at__isnull=True, **_places(company_id, call))


def _places(company_id: int, call: ApiCall) -> dict[str, Any]:
    return {
        "company_id": company_id,
        "account": call.account,
        "region": call.region,
        "group": call.group,
        "process__in": list(call.after),
    }
