"""Every action there is, and what each does to the places where a group asks for spot."""

import json
import re
from dataclasses import replace

import pytest

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.actions.spot_mode import NEW_VERSION
from cloudpolicy.engine.action import Action, Proposal
from cloudpolicy.engine.call import parse_call, resolved
from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.market import LaunchTemplate, Market, MixedInstances, UnknownMarket
from tests.cloudpolicy.engine.samples import MIXED, ON_DEMAND, SPOT_TEMPLATE, group

ACTIONS = {action.name: action for action in all_actions()}
SPOT_OFF = Target(Capacity(1, 4, 2), spot=False, on_demand_percent=50, because="staging below 60")
SPOT_ON = replace(SPOT_OFF, spot=True)


def propose_spot(market: Market, target: Target, *others: Group) -> Proposal:
    subject = group("staging", market=market)
    return ACTIONS["spot_mode"].propose(subject, target, Followers.of((subject, *others)))


def test_the_registry_finds_every_file() -> None:
    assert set(ACTIONS) == {
        "power_database",
        "power_instance",
        "resize_group",
        "resume_processes",
        "set_budget",
        "spot_mode",
        "spot_request",
        "suspend_processes",
    }


@pytest.mark.parametrize("action", all_actions(), ids=lambda action: action.name)
def test_an_action_declares_permissions_that_look_like_permissions(action: Action) -> None:
    assert action.permissions
    for permission in action.permissions:
        assert re.fullmatch(r"[a-z0-9]+:[A-Z][A-Za-z]+", permission)


@pytest.mark.parametrize("action", all_actions(), ids=lambda action: action.name)
@pytest.mark.parametrize("market", [MIXED, ON_DEMAND, SPOT_TEMPLATE], ids=["mixed", "on demand", "template"])
@pytest.mark.parametrize("target", [SPOT_ON, SPOT_OFF], ids=["spot on", "spot off"])
def test_an_action_needs_no_more_than_it_declares(action: Action, market: Market, target: Target) -> None:
    subject = group("staging", market=market)
    for call in action.propose(subject, target, Followers.of((subject,))).calls:
        assert call.action == action.name
        assert call.permission in action.permissions
        assert set(call.before) == set(call.after)
        assert parse_call(json.loads(json.dumps(call.as_dict()))) == call


@pytest.mark.parametrize("action", all_actions(), ids=lambda action: action.name)
@pytest.mark.parametrize("market", [MIXED, ON_DEMAND, SPOT_TEMPLATE], ids=["mixed", "on demand", "template"])
@pytest.mark.parametrize("target", [SPOT_ON, SPOT_OFF], ids=["spot on", "spot off"])
def test_taking_a_call_back_asks_for_what_was_there_before_it(
    action: Action, market: Market, target: Target
) -> None:
    subject = group("staging", market=market)
    for planned in action.propose(subject, target, Followers.of((subject,))).calls:
        call = resolved(planned, {NEW_VERSION: "4"})
        back = action.inverse(call, call.before)
        assert back is not None
        assert back.before == call.after
        assert resolved(back, {NEW_VERSION: "3"}).after == call.before


@pytest.mark.parametrize("action", all_actions(), ids=lambda action: action.name)
def test_an_action_leaves_a_group_alone_that_is_as_it_should_be(action: Action) -> None:
    subject = group("staging", size=(1, 4, 2), market=ON_DEMAND)
    assert action.propose(subject, SPOT_OFF, Followers.of((subject,))) == Proposal()


@pytest.mark.parametrize("action", all_actions(), ids=lambda action: action.name)
def test_an_action_proposes_nothing_for_a_target_that_it_does_not_speak_of(action: Action) -> None:
    words = [
        replace(SPOT_ON, spot=spot, suspend=frozenset(suspend), resume=frozenset(resume))
        for spot in (None, True, False)
        for suspend, resume in (((), ("Launch",)), (("Launch",), ()), ((), ()))
    ]  # fmt: skip
    for market in (MIXED, ON_DEMAND, SPOT_TEMPLATE, UnknownMarket("unread")):
        subject = replace(group("staging", market=market), suspended=frozenset({"Launch"}))
        running = replace(subject, suspended=frozenset())
        for each in (subject, running):
            for target in words:
                said = action.propose(each, target, Followers.of((each,)))
                assert action.speaks(target) or said == Proposal()


def test_turning_spot_off_puts_a_mixed_group_wholly_on_demand() -> None:
    (call,) = propose_spot(MIXED, SPOT_OFF).calls
    assert call.before == {"spot": True, "on_demand_percent": 30}
    assert call.after == {"spot": False, "on_demand_percent": 100}
    assert call.parameters["OnDemandPercentageAboveBaseCapacity"] == 100


def test_turning_spot_on_keeps_the_on_demand_share_of_the_policy() -> None:
    (call,) = propose_spot(ON_DEMAND, SPOT_ON).calls
    assert call.after == {"spot": True, "on_demand_percent": 50}


def test_a_mixed_group_without_a_stated_share_is_on_demand_as_aws_has_it() -> None:
    assert MixedInstances({}).spot is False
    assert propose_spot(MixedInstances({}), SPOT_OFF) == Proposal()


def test_a_template_that_asks_for_spot_gets_a_version_without_that() -> None:
    (create,) = propose_spot(SPOT_TEMPLATE, SPOT_OFF).calls
    assert create.permission == "ec2:CreateLaunchTemplateVersion"
    assert create.before == {"spot": True, "template": "staging", "version": "3"}
    assert create.after == {"spot": False, "template": "staging", "version": NEW_VERSION}
    assert create.parameters["copy"] == {"version": "3", "spot": False}


@pytest.mark.parametrize("follows", ["3", "$Default"])
def test_a_group_that_does_not_follow_the_latest_version_is_pointed_at_the_new_one(follows: str) -> None:
    create, point = propose_spot(replace(SPOT_TEMPLATE, follows=follows), SPOT_OFF).calls
    assert create.permission == "ec2:CreateLaunchTemplateVersion"
    assert point.permission == "autoscaling:UpdateAutoScalingGroup"
    assert point.before["version"] == follows
    assert point.parameters["LaunchTemplate"] == {"LaunchTemplateId": "lt-1", "Version": NEW_VERSION}


def test_turning_spot_on_adds_it_to_the_version_in_use() -> None:
    template = LaunchTemplate("lt-1", "staging", "$Latest", 4)
    (create,) = propose_spot(template, SPOT_ON).calls
    assert create.parameters["copy"] == {"version": "4", "spot": True}


def test_a_template_that_another_group_follows_is_left_to_a_person() -> None:
    sharer = group("production", market=replace(SPOT_TEMPLATE, version=None), opted_in=False)
    proposal = propose_spot(SPOT_TEMPLATE, SPOT_OFF, sharer)
    assert proposal.calls == ()
    assert "shared with capstack-production-asg" in proposal.warnings[0].text


def test_the_first_few_who_share_a_template_are_named_and_the_group_itself_is_not_among_them() -> None:
    subject = group("staging", market=SPOT_TEMPLATE)
    others = [replace(subject, name=f"other-{number}") for number in (6, 3, 1, 5, 2, 4)]
    elsewhere = replace(subject, name="a-number", market=replace(SPOT_TEMPLATE, follows="3"))
    doubt = propose_spot(SPOT_TEMPLATE, SPOT_OFF, *others, elsewhere).warnings[0].text
    alike = Followers.of((subject, *others))
    assert "shared with" in doubt
    assert alike.others(subject, "lt-1", most=5) == [f"other-{number}" for number in (1, 2, 3, 4, 5)]
    assert alike.others(others[2], "lt-1", most=2) == [subject.name, "other-2"]
    assert Followers.of((subject, elsewhere)).others(subject, "lt-1", most=5) == []


def test_a_group_that_cannot_be_read_is_left_to_a_person() -> None:
    proposal = propose_spot(UnknownMarket("it uses launch configuration old, which cannot be changed"), SPOT_OFF)
    assert proposal.calls == ()
    assert "launch configuration old" in proposal.warnings[0].text


def test_a_target_without_a_word_on_spot_leaves_spot_alone() -> None:
    assert propose_spot(MIXED, replace(SPOT_OFF, spot=None)) == Proposal()
