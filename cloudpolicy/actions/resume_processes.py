"""Let processes of a group run again, before its size is changed: a group without Launch would not grow."""

from cloudpolicy.actions.suspend_processes import RESUME, SUSPEND, inverse, observe, perform, processes_call
from cloudpolicy.engine.action import NOTHING, Action, Proposal
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target


def propose(group: Group, target: Target, _followers: Followers) -> Proposal:
    wanted = target.resume & group.suspended
    if not wanted:
        return NOTHING
    return Proposal(calls=(processes_call(group, target, wanted, suspend=False),))


def describe(call: ApiCall) -> str:
    return f"resume {', '.join(call.parameters['ScalingProcesses'])} of {call.group}"


ACTION = Action(
    name="resume_processes",
    order=5,
    permissions=(RESUME, SUSPEND, "autoscaling:DescribeAutoScalingGroups"),
    describe=describe,
    propose=propose,
    observe=observe,
    perform=perform,
    inverse=inverse,
    speaks=lambda target: bool(target.resume),
    heeds=lambda _kind, target: target.resume,
)
