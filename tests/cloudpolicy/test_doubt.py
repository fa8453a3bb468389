"""What is looked at while nobody knows yet: an answer that got lost, instances that are still coming."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from cloudpolicy.actions import resize_group
from cloudpolicy.actions.registry import all_actions
from cloudpolicy.models.run import Phase, RunState, ScalingRun, StepEntry
from cloudpolicy.services import run_steps
from tests.cloudpolicy.groups_of_five import (
    FakeClock,
    approve,
    begin,
    finish,
    make_five_groups,
    planned_company,
    sizes,
)
from tests.cloudpolicy.strict_proxy import UPDATE, StrictProxy, Trouble
from tests.cloudpolicy.test_applying import set_size

pytestmark = pytest.mark.django_db


@dataclass
class EventfulClock(FakeClock):
    """Something happens in the first wait that it is ready for."""

    is_ready: Callable[[], bool] = lambda: True
    happens: Callable[[], None] | None = None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.happens is not None and self.is_ready():
            happens, self.happens = self.happens, None
            happens()


@pytest.fixture
def run(strict_aws: StrictProxy) -> ScalingRun:
    """The run of an approved plan, not yet at work."""
    make_five_groups()
    _, plan = planned_company()
    approve(plan)
    return begin(plan)


def phases_of(run: ScalingRun) -> set[str]:
    return set(StepEntry.objects.filter(run=run).values_list("phase", flat=True))


@pytest.mark.parametrize(
    ("size", "phase", "state"),
    [((1, 2, 1), Phase.FOUND_MADE, RunState.DONE), ((0, 9, 3), Phase.CHANGED, RunState.PARTLY)],
    ids=["what was asked for comes late", "somebody changes it meanwhile"],
)
def test_doubt_lasts_as_long_as_a_request_may_be_under_way(
    strict_aws: StrictProxy, run: ScalingRun, size: tuple[int, int, int], phase: Phase, state: RunState
) -> None:
    # The second update is the size of dev2; its answer is lost, and for a while nothing is to be seen of it.
    strict_aws.troubles = [Trouble(UPDATE, 500, "InternalFailure", skip=1)]
    clock = EventfulClock(is_ready=lambda: not strict_aws.troubles, happens=lambda: set_size("dev2", *size))
    run = finish(run, clock)
    assert clock.happens is None
    assert run.state == state, run.outcome
    assert sizes()["dev2"] == size
    assert phase in phases_of(run)
    assert Phase.NOT_MADE not in phases_of(run), "that would have it asked for again"


def test_what_somebody_changes_while_instances_are_coming_ends_the_run_and_is_not_waited_for(
    run: ScalingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def coming(*args: object) -> object:
        observed = resize_group.observe(*args)  # type: ignore[arg-type]
        return observed and replace(observed, arrived=False, progress="0 of 1 in service")

    slow = tuple(replace(each, observe=coming) if each.name == "resize_group" else each for each in all_actions())
    monkeypatch.setattr(run_steps, "all_actions", lambda: slow)
    clock = EventfulClock(happens=lambda: set_size("dev2", 0, 9, 3))
    began = clock.now()
    run = finish(run, clock)
    assert run.state == RunState.PARTLY
    assert "capstack-dev2-asg was changed by somebody else since" in run.outcome
    assert Phase.LATE not in phases_of(run)
    assert clock.now() - began < timedelta(minutes=2)
    assert sizes()["dev2"] == (0, 9, 3)
