"""Let chosen processes of a group stand still, after its size is as wanted."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudpolicy.engine.action import NOTHING, Action, Observed, Proposal, Receipt
from cloudpolicy.engine.call import ApiCall, calls_from
from cloudpolicy.engine.cloud import Cloud, describe_group, request_id_of, tags_of
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.kind import Kind
from cloudpolicy.engine.policy import SCHEDULING_PROCESSES
from cloudpolicy.engine.reason import Reason

SUSPEND, RESUME = "autoscaling:SuspendProcesses", "autoscaling:ResumeProcesses"
RUNS, STANDS = "runs", "suspended"


def propose(group: Group, target: Target, _followers: Followers) -> Proposal:
    wanted = target.suspend - group.suspended
    if not wanted:
        return NOTHING
    needed = _needed(wanted, target) if group.is_scheduled else frozenset()
    calls = (processes_call(group, target, wanted - needed, suspend=True),) if wanted - needed else ()
    return Proposal(calls=calls, warnings=_kept(group.name, ", ".join(sorted(needed))) if needed else ())


def propose_to_kind(kind: Kind, target: Target) -> Sequence[Proposal]:
    """What `propose` says of each group: which processes stand still is the same in all of a kind."""
    one = kind.groups[0]
    wanted = target.suspend - one.suspended
    if not wanted:
        return [NOTHING] * len(kind.groups)
    needed = _needed(wanted, target)
    kept = ", ".join(sorted(needed))
    # A call on groups with schedules and one on those without; what they have in common is filled in once.
    scheduled, free = (
        processes_call(one, target, processes, suspend=True) if processes else None
        for processes in (wanted - needed, wanted)
    )
    found = []
    for group in kind.groups:
        like = scheduled if group.is_scheduled else free
        calls: tuple[ApiCall, ...] = ()
        if like is not None:
            parameters = {**like.parameters, "AutoScalingGroupName": group.name}
            calls = tuple(calls_from([(
                like.action, group.name, like.environment, group.region, like.permission, like.before, like.after,
                parameters, like.because, group.account,
            )]))  # fmt: skip
        found.append(Proposal(calls, _kept(group.name, kept) if kept and group.is_scheduled else ()))
    return found


def _needed(wanted: frozenset[str], target: Target) -> frozenset[str]:
    """Processes that run on in a group with scheduled actions."""
    return frozenset() if target.may_stop_schedules else wanted & SCHEDULING_PROCESSES


def _kept(group: str, needed: str) -> tuple[Reason, ...]:
    return (Reason("schedule_kept", f"{group}: {needed} runs on: its scheduled actions need it"),)


def processes_call(group: Group, target: Target, processes: frozenset[str], *, suspend: bool) -> ApiCall:
    names = sorted(processes)
    return ApiCall(
        action="suspend_processes" if suspend else "resume_processes",
        group=group.name,
        environment=group.environment,
        region=group.region,
        account=group.account,
        permission=SUSPEND if suspend else RESUME,
        before=dict.fromkeys(names, RUNS if suspend else STANDS),
        after=dict.fromkeys(names, STANDS if suspend else RUNS),
        parameters={"AutoScalingGroupName": group.name, "ScalingProcesses": names},
        because=target.because,
    )


def observe(call: ApiCall, cloud: Cloud, _token: str) -> Observed | None:
    group = describe_group(cloud, call.group)
    if group is None:
        return None
    suspended = {each["ProcessName"] for each in group.get("SuspendedProcesses", [])}
    return Observed({name: STANDS if name in suspended else RUNS for name in call.before}, tags_of(group))


def perform(call: ApiCall, cloud: Cloud, _token: str) -> Receipt:
    autoscaling = cloud.changing("autoscaling")
    ask = autoscaling.suspend_processes if call.permission == SUSPEND else autoscaling.resume_processes
    return Receipt(request_id_of(ask(**call.parameters)))


def inverse(call: ApiCall, before: Mapping[str, Any]) -> ApiCall:
    suspends = call.permission == SUSPEND
    return call._replace(
        action="resume_processes" if suspends else "suspend_processes",
        permission=RESUME if suspends else SUSPEND,
        before=call.after,
        after=before,
    )


def describe(call: ApiCall) -> str:
    return f"suspend {', '.join(call.parameters['ScalingProcesses'])} of {call.group}"


ACTION = Action(
    name="suspend_processes",
    order=30,
    permissions=(
        SUSPEND,
        RESUME,
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeScheduledActions",
    ),
    describe=describe,
    propose=propose,
    observe=observe,
    perform=perform,
    inverse=inverse,
    speaks=lambda target: bool(target.suspend),
    propose_to_kind=propose_to_kind,
    heeds=lambda target: (target.suspend, target.may_stop_schedules),
)
