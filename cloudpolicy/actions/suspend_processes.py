"""Let chosen processes of a group stand still, after its size is as wanted."""

from collections.abc import Mapping
from typing import Any

from cloudpolicy.engine.action import NOTHING, Action, Observed, Proposal, Receipt
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.cloud import Cloud, describe_group, request_id_of, tags_of
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.policy import SCHEDULING_PROCESSES
from cloudpolicy.engine.reason import Reason

SUSPEND, RESUME = "autoscaling:SuspendProcesses", "autoscaling:ResumeProcesses"
RUNS, STANDS = "runs", "suspended"


def propose(group: Group, target: Target, _followers: Followers) -> Proposal:
    wanted = target.suspend - group.suspended
    if not wanted:
        return NOTHING
    needed = wanted & SCHEDULING_PROCESSES if group.is_scheduled and not target.may_stop_schedules else frozenset()
    warnings = (
        Reason(
            "schedule_kept", f"{group.name}: {', '.join(sorted(needed))} runs on: its scheduled actions need it"
        ),
    )
    calls = (processes_call(group, target, wanted - needed, suspend=True),) if wanted - needed else ()
    return Proposal(calls=calls, warnings=warnings if needed else ())


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
)
