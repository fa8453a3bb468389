"""What an action is: it plans calls, and knows how each is made, looked at and taken back.

Planning is pure. Making and looking use the clients that a `Cloud` hands out, so no action imports a library of
the cloud, holds credentials or decides whether a call may be made: that is the business of whoever applies a plan.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.cloud import Cloud
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.kind import Becomes, Kind
from cloudpolicy.engine.policy import Policy, Rule
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.resource import Resource


class Proposal(NamedTuple):
    """What an action would do to one group or resource; warnings say what it leaves to a person."""

    calls: tuple[ApiCall, ...] = ()
    warnings: tuple[Reason, ...] = ()


NOTHING = Proposal()


@dataclass(frozen=True, slots=True)
class Observed:
    """What a call is about, as the cloud describes it now.

    Attributes:
        settings: with the keys of the call's `before`: equal to that before the call, to `after` once it was made.
        tags: of the resource that would be touched.
        arrived: whether what was asked for is there, e.g. every wanted instance in service.
        progress: how far it is, for people: `3 of 4 in service`.
        learned: values of placeholders that a call which was made has settled.
    """

    settings: Mapping[str, Any]
    tags: Mapping[str, str]
    arrived: bool = True
    progress: str = ""
    learned: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The cloud's answer to a call that was made.

    Attributes:
        learned: values of the placeholders in this call and in later calls on its group.
    """

    request_id: str
    learned: Mapping[str, Any] = field(default_factory=dict)


Discover = Callable[[Cloud, Policy, Sequence[Group]], Sequence[Resource]]


@dataclass(frozen=True, slots=True)
class Resources:
    """What an action needs to know that is about single resources and not about groups.

    Attributes:
        word: the word in `stopped` that it takes up; '' for one that stops nothing.
        is_global: an account has these once, and not in each region.
        wanted: whether a policy says anything about them. Else they are not even read.
        discover: (cloud, policy, groups found there) -> those that carry the opt-in tag, in few requests.
        propose: (resource, rule in force, policy) -> Proposal, pure. What was stopped is not its business: that is
            taken back by `Action.inverse` once no rule stops it any more.
        comes_back_new: what was stopped is gone for good, and taking that back makes another.
    """

    word: str
    wanted: Callable[[Policy], bool]
    discover: Discover
    propose: Callable[[Resource, Rule, Policy], Proposal]
    is_global: bool = False
    comes_back_new: bool = False


Propose = Callable[[Group, Target, Followers], Proposal]
Warned = Mapping[int, tuple[Reason, ...]]
ProposeToKind = Callable[[Kind, Target], tuple[Sequence[tuple[ApiCall, ...]], Warned]]
ProposeSizes = Callable[[Kind, Becomes, str], Sequence[tuple[ApiCall, ...]]]


def for_no_group(_group: Group, _target: Target, _followers: Followers) -> Proposal:
    """What an action on resources does to groups."""
    return NOTHING


def to_every_target(_target: Target) -> bool:
    """When an action may have something to say, whatever is wanted."""
    return True


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of change.

    Attributes:
        order: actions on one group run in this order.
        permissions: every IAM permission that its calls, and the reading before them, need.
        describe: (call) -> what it does, in a few plain words: `stop the instance i-0123`.
        propose: (group, target, followers among all groups) -> Proposal, pure; no calls when the group is as it
            should be.
        speaks: (target) -> whether it would propose anything to any group for that; if not, none is put to it.
        observe: (call, cloud, token) -> Observed, reading only; None when the resource is gone.
        perform: (call, cloud, token) -> Receipt. Sends exactly one request that changes something, through
            `cloud.changing`. The token names the step: equal in every attempt at it, and different in all others.
            Where a request creates something, the token goes with it, so that `observe` recognises what was made.
        inverse: (call as it was made, settings before it) -> the call that takes it back; None when nothing needs
            to be. Pure. Its `before` is what the call left behind.
        resources: for an action on single resources; None for one on groups.
        untagged: those of its permissions that AWS cannot tie to the opt-in tag: what they are for is only being
            made, or carries no tags.
        heeds: (kind, target) -> what of the target, but for reason and size, proposals depend on: what it proposed
            for one target it proposes for every other with the same. None: it is asked anew for each.
        propose_to_kind: (kind, target) -> (calls, warnings by position): what `propose` says of each group,
            of an action that heeds something and does not look at the size, in less time.
        propose_sizes: (kind, sizes, because) -> calls on each group of the kind. What `propose` says of one after
            the other, of an action that looks at nothing but the size and warns of nothing, in less time.
    """

    name: str
    order: int
    permissions: tuple[str, ...]
    describe: Callable[[ApiCall], str]
    propose: Propose
    observe: Callable[[ApiCall, Cloud, str], Observed | None]
    perform: Callable[[ApiCall, Cloud, str], Receipt]
    inverse: Callable[[ApiCall, Mapping[str, Any]], ApiCall | None]
    resources: Resources | None = None
    untagged: tuple[str, ...] = ()
    speaks: Callable[[Target], bool] = to_every_target
    heeds: Callable[[Kind, Target], Hashable] | None = None
    propose_to_kind: ProposeToKind | None = None
    propose_sizes: ProposeSizes | None = None
