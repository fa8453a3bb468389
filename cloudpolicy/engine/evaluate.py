"""The policy at work: runway and groups in, a plan out. Nothing is called, read or stored here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from cloudpolicy.engine.action import Action
from cloudpolicy.engine.call import ApiCall, place_of
from cloudpolicy.engine.exclusion import Place
from cloudpolicy.engine.filter import Filter
from cloudpolicy.engine.fleet import Fleet
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.history import History
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.question import Question
from cloudpolicy.engine.quiet import quiet_now
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.resource import Resource
from cloudpolicy.engine.resources import ResourceCalls, resource_calls
from cloudpolicy.engine.runway import NoRunway, Runway
from cloudpolicy.engine.standing import step
from cloudpolicy.engine.trust import judge
from cloudpolicy.engine.undisturbed import undisturbed
from cloudpolicy.engine.wanted import wanted_of


def evaluate(
    *,
    policy: Policy,
    groups: Sequence[Group] | Fleet,
    runway: Runway | NoRunway,
    history: History,
    now: datetime,
    actions: Sequence[Action],
    filters: Sequence[Filter],
    resources: Sequence[Resource] = (),
) -> ScalingPlan:
    """Plan what the policy implies for these groups.

    Without a usable p5 there are no calls. With a usable p5 that may not be acted on, or not at this hour, the
    calls show what it would imply, `read_only_because` says why nothing may make them, and the ladder does not
    move.

    Args:
        groups: every group found, opted in or not; only opted-in ones are ever part of a call. Whoever evaluates
            more than once over the same groups gives their `Fleet`.
        history: memory after the last trusted decision.
        now: aware UTC.
        actions: what may be done to a group, in any order.
        filters: what may leave a group alone, in any order.
        resources: what actions on single resources have found, opted in or not.
    """
    trust = judge(runway=runway, limits=policy.limits, now=now)
    if trust.p5_days is None or isinstance(runway, NoRunway):
        run = None if isinstance(runway, NoRunway) else runway.forecast_run
        return ScalingPlan(policy.name, now, None, run, None, (), trust.against, trust.warnings)
    local_now = now.astimezone(ZoneInfo(runway.timezone))
    moved = step(
        policy=policy,
        p5_days=trust.p5_days,
        forecast_run=runway.forecast_run,
        standing=history.standing,
        now=now,
    )
    others = resource_calls(
        policy=policy, band=moved.band, history=history, resources=resources, actions=actions, now=now
    )
    fleet = groups if isinstance(groups, Fleet) else Fleet.of(groups)
    question = Question(policy, moved.band, history, local_now, sorted(filters, key=lambda each: each.order))
    with undisturbed():
        found = _calls(question, fleet, others, actions=sorted(actions, key=lambda action: action.order))
    against = list(trust.against)
    ends = [moved.look_again_at, *found.ends]
    quiet = quiet_now(quiet=policy.quiet, local_now=local_now)
    if quiet is not None:
        against.append(quiet[0])
        ends.append(quiet[1])
    return ScalingPlan(
        policy.name,
        now,
        trust.p5_days,
        runway.forecast_run,
        moved.band,
        tuple(found.calls),
        tuple(against),
        (*trust.warnings, *moved.waits, *found.warnings, *_nothing_to_act_on(policy, fleet)),
        standing=history.standing if against else moved.standing,
        back=tuple(others.back),
        look_again_at=min((end for end in ends if end is not None), default=None),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    calls: Sequence[ApiCall]
    warnings: Sequence[Reason]
    ends: Sequence[datetime | None]


def _calls(question: Question, fleet: Fleet, others: ResourceCalls, *, actions: Sequence[Action]) -> _Found:
    wanted = wanted_of(question=question, fleet=fleet, proposals=fleet.proposals(actions))
    # Growing first: if the rest fails half-way, there is too much capacity and not too little.
    calls = (others.starting, *wanted.growing, *wanted.shrinking, others.stopping)
    waiting: list[Reason] = []
    most = question.policy.limits.groups_per_plan
    if most is not None:
        calls, waiting = _first_places(calls, most)
    warnings = (*others.warnings, *wanted.said.in_order(), *wanted.left_to_a_person(), *waiting)
    return _Found(tuple(chain.from_iterable(calls)), warnings, (*others.ends, *wanted.said.ends))


def _first_places(
    calls: Iterable[Sequence[ApiCall]], most: int
) -> tuple[tuple[Sequence[ApiCall], ...], list[Reason]]:
    """Calls, until enough groups and resources would be changed; of those after that it is said that they wait."""
    changed: set[Place] = set()
    taken: list[Sequence[ApiCall]] = []
    later: list[str] = []
    for each in calls:
        kept = []
        for call in each:
            place = place_of(call)
            if place not in changed:
                if len(changed) == most:
                    if call.group not in later[-1:]:
                        later.append(call.group)
                    continue
                changed.add(place)
            kept.append(call)
        taken.append(kept)
    if not later:
        return tuple(taken), []
    rest = f"{len(later)} more groups wait for the next plan, {later[0]} first"
    return tuple(taken), [Reason("groups_wait", f"{rest}: one plan changes {most}")]


def _nothing_to_act_on(policy: Policy, fleet: Fleet) -> list[Reason]:
    if fleet.has_opted_in:
        return []
    tag = f"{policy.opt_in.key}={policy.opt_in.value}"
    return [Reason("no_groups", f"no auto-scaling group carries the tag {tag}")]
