"""What a plan has stopped: kept before it is stopped, released once it runs again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import models

from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.resource import Held, key_of, stops
from cloudpolicy.models.held_resource import HeldResource
from cloudpolicy.models.run import RunKind, ScalingRun


def resource_to_hold(
    *, run: ScalingRun, call: ApiCall, before: Mapping[str, Any], now: datetime
) -> HeldResource | None:
    """What to keep with a call that stops a resource; None for any other, and when it is kept already."""
    if run.kind != RunKind.APPLY or not stops(call) or _open(run.company_id, call).exists():
        return None
    action, account, region, resource = key_of(call)
    return HeldResource(
        company_id=run.company_id,
        plan=run.plan,
        action=action,
        account=account,
        region=region,
        resource=resource,
        call=call.as_dict(),
        before=dict(before),
        held_at=now,
    )


def release_after_run(
    *, run: ScalingRun, calls: Sequence[ApiCall], unfinished: Collection[int], made: Collection[int], now: datetime
) -> None:
    """Release what a run has let run again, and hold anew what a roll-back has stopped again.

    Args:
        unfinished: places of the calls that are not done.
        made: places of the calls that the cloud may have done.
    """
    for place, call in enumerate(calls):
        if "running" not in call.after and "bids" not in call.after:
            continue
        if stops(call) and run.kind == RunKind.APPLY:
            if place in unfinished and place not in made:
                # It was kept before the call, and nothing came of the call.
                _release(_open(run.company_id, call).filter(plan=run.plan, held_at__gte=run.started_at), now, None)
        elif place in unfinished:
            continue
        elif stops(call):
            again = HeldResource.objects.filter(released_by=run.undoes, **_place(run.company_id, call))
            again.update(released_at=None, released_by=None)
        else:
            _release(_open(run.company_id, call), now, run if run.kind == RunKind.APPLY else None)


def release_found_running(*, company_id: int, back: Iterable[Held], now: datetime) -> None:
    """Release what was found running or gone, whoever did it."""
    for held in back:
        _release(_open(company_id, held.call), now, None)


def _release(rows: "models.QuerySet[HeldResource]", now: datetime, run: ScalingRun | None) -> None:
    rows.update(released_at=now, released_by=run)


def _open(company_id: int, call: ApiCall) -> "models.QuerySet[HeldResource]":
    return HeldResource.objects.filter(released_at__isnull=True, **_place(company_id, call))


def _place(company_id: int, call: ApiCall) -> dict[str, Any]:
    action, account, region, resource = key_of(call)
    return {
        "company_id": company_id, "action": action, "account": account, "region": region, "resource": resource,
    }  # fmt: skip
