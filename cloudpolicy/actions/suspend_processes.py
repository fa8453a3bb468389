"""Let chosen processes of a group stand still, after its size is as wanted."""

from collections.abc import Mapping, Sequence
from itertools import repeat
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


def propose_to_kind(
    kind: Kind, target: Target
) -> tuple[Sequence[tuple[ApiCall, ...]], Mapping[int, tuple[Reason, ...]]]:
    """What `propose` says of each group: column by column, as in all of a kind the same processes stand still."""
    one = kind.groups[0]
    wanted = target.suspend - one.suspended
    needed = _needed(wanted, target)
    if not wanted:
        return [()] * len(kind.groups), {}
    in_free = _column(kind, target, wanted)
    if not needed:
        return in_free, {}
    in_all = _column(kind, target, wanted - needed)
    kept = ", ".join(sorted(needed))
    is_scheduled = [group.is_scheduled for group in kind.groups]
    calls = [few if bound else more for few, more, bound in zip(in_all, in_free, is_scheduled, strict=True)]
    return calls, {place: _kept(kind.names[place], kept) for place, bound in enumerate(is_scheduled) if bound}


def _column(kind: Kind, target: Target, processes: frozenset[str]) -> Sequence[tuple[ApiCall, ...]]:
    """A call on each group of a kind; what they have in common is filled in once."""
    if not processes:
        return [()] * len(kind.groups)
    like = processes_call(kind.groups[0], target, processes, suspend=True)
    names = like.parameters["ScalingProcesses"]
    parameters = [{"AutoScalingGroupName": name, "ScalingProcesses": names} for name in kind.names]
    rows = zip(
        repeat(like.action), kind.names, repeat(like.environment), kind.regions, repeat(like.permission),
        repeat(like.before), repeat(like.after), parameters, repeat(like.because), kind.accounts,
    )  # fmt: skip
    return [(call,) for call in calls_from(rows)]


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
    heeds=lambda _kind, target: (target.suspend, target.may_stop_schedules),
)
