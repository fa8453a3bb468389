"""What no plan may change, whoever made it, and how many people have to agree to the rest."""

from dataclasses import replace

import pytest

from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.limits import approvals_needed, limit_problems
from cloudpolicy.engine.policy import Approval, GroupRule
from tests.cloudpolicy.engine.samples import LADDER


def resize(before: tuple[int, int, int], after: tuple[int, int, int], *, environment: str = "dev") -> ApiCall:
    """Sizes are min, max, desired."""
    was, becomes = (dict(zip(("min", "max", "desired"), size, strict=True)) for size in (before, after))
    return ApiCall("resize_group", f"{environment}-web", environment, "us-east-1", "", was, becomes, {})


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (resize((2, 9, 8), (2, 9, 4)), ""),
        (resize((2, 9, 8), (2, 9, 3)), "dev-web: a step of 5 instances is more than 50 % of 8"),
        (resize((2, 20, 8), (2, 20, 13)), "dev-web: a step of 5 instances is more than 50 % of 8"),
        (resize((2, 9, 2), (2, 9, 3)), ""),
        (resize((0, 9, 0), (2, 9, 2)), ""),
        (resize((2, 9, 4), (1, 9, 3)), "dev-web: min 1 is below the floor of 2"),
        (resize((2, 9, 4), (2, 3, 4)), "dev-web: desired 4 is above max 3"),
    ],
    ids=["half", "more than half less", "more than half more", "one of two", "up to the floor", "below its floor",
         "impossible"],
)  # fmt: skip
def test_a_size_stays_above_its_floor_and_within_its_step(call: ApiCall, problem: str) -> None:
    policy = replace(LADDER, floors={"dev": 2}, limits=replace(LADDER.limits, step_percent=50))
    assert limit_problems(calls=[call], policy=policy) == ((problem,) if problem else ())


def test_a_group_is_held_to_a_floor_of_its_own() -> None:
    policy = replace(LADDER, floors={}, groups={"dev-web": GroupRule("dev-web", floor=3)})
    calls = [resize((3, 9, 4), (2, 9, 4))]
    assert limit_problems(calls=calls, policy=policy) == ("dev-web: min 2 is below the floor of 3",)


def test_groups_are_counted_and_not_their_calls() -> None:
    policy = replace(LADDER, floors={}, limits=replace(LADDER.limits, groups_per_plan=1))
    one = resize((1, 9, 4), (1, 9, 3))
    assert (
        limit_problems(calls=[one, one._replace(before={"spot": True}, after={"spot": False})], policy=policy)
        == ()
    )
    (problem,) = limit_problems(calls=[one, one._replace(region="eu-west-1")], policy=policy)
    assert problem == "it changes 2 groups, more than the 1 that one plan may change"


@pytest.mark.parametrize(
    ("approval", "calls", "people"),
    [
        (Approval(), [resize((1, 9, 4), (1, 9, 3))], 1),
        (Approval(automatic=True), [resize((1, 9, 4), (1, 9, 3))], 0),
        (Approval(automatic=True), [resize((1, 9, 4), (1, 9, 3), environment="production")], 1),
        (Approval(automatic=True, two_people_above=2), [resize((1, 9, 4), (1, 9, 2))], 0),
        (Approval(automatic=True, two_people_above=2), [resize((1, 9, 4), (1, 9, 1))], 2),
        (Approval(two_people_above=2), [resize((1, 9, 4), (1, 9, 2)), resize((1, 9, 2), (1, 9, 3))], 2),
    ],
    ids=["by default", "dev by itself", "production", "at the limit", "above it", "both add up"],
)
def test_the_more_a_plan_moves_the_more_people_agree(
    approval: Approval, calls: list[ApiCall], people: int
) -> None:
    assert approvals_needed(calls=calls, approval=approval) == people
