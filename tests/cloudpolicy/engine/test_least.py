"""How far a person's wish for runway may take a group down."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cloudpolicy.engine.band import Band, band_at
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.least import least_instances, made_smaller
from cloudpolicy.engine.limits import limit_problems
from cloudpolicy.engine.policy import GroupRule
from tests.cloudpolicy.engine.samples import LADDER, group

OPEN = Band(())


def test_it_is_the_rows_least_and_not_the_groups_own() -> None:
    below = band_at(policy=LADDER, p5_days=80, rows_in_force=())
    production = group("production", size=(3, 12, 8))
    assert least_instances(group=production, policy=LADDER, band=below) == 2
    assert least_instances(group=production, policy=LADDER, band=OPEN) == 3, "what it is otherwise"


def test_where_no_rule_speaks_the_owners_min_holds_and_nothing_goes_to_zero() -> None:
    assert least_instances(group=group("dev", size=(1, 4, 3)), policy=LADDER, band=OPEN) == 1
    assert least_instances(group=group("dev", size=(0, 4, 3)), policy=LADDER, band=OPEN) == 0
    floored = replace(LADDER, floors={"dev": 2})
    assert least_instances(group=group("dev", size=(0, 4, 3)), policy=floored, band=OPEN) == 2


@given(
    environment=st.sampled_from(["dev", "staging", "production"]),
    least=st.integers(0, 6),
    more=st.integers(0, 60),
    floor=st.integers(0, 8),
    own_floor=st.none() | st.integers(0, 8),
    percent=st.none() | st.integers(1, 100),
    p5=st.floats(0, 400),
)
def test_a_group_made_that_small_is_within_every_limit(
    environment: str, least: int, more: int, floor: int, own_floor: int | None, percent: int | None, p5: float
) -> None:
    found = group(environment, size=(least, least + more, least + more))
    policy = replace(
        LADDER,
        floors={environment: floor},
        groups={found.name: GroupRule(found.name, own_floor)},
        limits=replace(LADDER.limits, step_percent=percent),
    )
    band = band_at(policy=policy, p5_days=p5, rows_in_force=())
    to = least_instances(group=found, policy=policy, band=band)
    if to >= found.capacity.desired:
        return  # Nothing may be taken from it.
    after = made_smaller(group=found, policy=policy, desired=to)
    call = ApiCall("resize_group", found.name, environment, "", "", found.capacity.as_dict(), after.as_dict(), {})
    problems = limit_problems(calls=[call], policy=policy)
    assert not problems
    row = band.row_of(environment) or policy.otherwise_of.get(environment)
    assert to >= (row.capacity.min if row else found.capacity.min)
