"""What is remembered of runs, without a cloud: sizes, processes and resources to return to, and what to leave."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cloudpolicy.actions.suspend_processes import RESUME, RUNS, STANDS, SUSPEND
from cloudpolicy.engine.band import Band
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.plan import ScalingPlan as EnginePlan
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.target import RESTORED
from cloudpolicy.models.cursor import PlanningCursor
from cloudpolicy.models.exclusion import Exclusion
from cloudpolicy.models.group_size import GroupSize
from cloudpolicy.models.held_resource import HeldResource
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, RunState, ScalingRun
from cloudpolicy.models.suspended_process import SuspendedProcess
from cloudpolicy.services.exclusions import (
    AFTER_CHOICE,
    AFTER_ROLLBACK,
    exclude_after_choice,
    exclude_after_rollback,
    lift_exclusion,
)
from cloudpolicy.services.held_resources import release_after_run, resource_to_hold
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.refusals import EngineBusy, NotAllowed
from cloudpolicy.services.sizes import clear_found_restored, clear_restored, size_to_keep
from cloudpolicy.services.suspended_processes import (
    leave_suspended,
    processes_to_note,
    release_processes_after_run,
    release_processes_found_running,
)
from ledger.services.companies import create_company
from tests.cloudpolicy.engine.samples import LADDER, MIXED
from tests.cloudpolicy.steered_company import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]
SOON = NOW + timedelta(minutes=1)
ROW, REGION = "dev below 60", "us-east-1"
APPLY, ROLLBACK = RunKind.APPLY, RunKind.ROLLBACK
SMALL, LARGE = {"min": 1, "max": 2, "desired": 1}, {"min": 1, "max": 4, "desired": 3}


@pytest.fixture
def plan() -> ScalingPlan:
    return plan_of("acme")


def plan_of(slug: str, **values: Any) -> ScalingPlan:
    company = create_company(slug=slug, name="Acme", currency="USD", timezone="UTC", now=NOW)
    policy = policy_in_force(company_id=company.pk, now=NOW).version_id
    made = {"p5_days": 50, "rows_in_force": [ROW], "created_at": NOW, "confirmed_at": NOW}
    return ScalingPlan.objects.create(company_id=company.pk, policy_id=policy, **made | values)


def run_of(plan: ScalingPlan, kind: RunKind = APPLY, *calls: ApiCall, at: datetime = NOW) -> ScalingRun:
    undoes = ScalingRun.objects.filter(plan=plan, kind=APPLY).last() if kind == ROLLBACK else None
    return ScalingRun.objects.create(
        company_id=plan.company_id,
        plan=plan,
        kind=kind,
        undoes=undoes,
        calls=[call.as_dict() for call in calls],
        actor="ada",
        state=RunState.PARTLY,
        started_at=at,
        ended_at=at,
    )


def call_on(name: str, before: Mapping[str, Any], after: Mapping[str, Any], **values: str) -> ApiCall:
    made = ApiCall("resize_group", name, "dev", REGION, "", before, after, {}, ROW)
    return made._replace(**values)


def suspend(*names: str, resume: bool = False, account: str = "") -> ApiCall:
    before, after = (STANDS, RUNS) if resume else (RUNS, STANDS)
    permission = RESUME if resume else SUSPEND
    call = call_on("web", dict.fromkeys(names, before), dict.fromkeys(names, after), account=account)
    return call._replace(action="suspend_processes", permission=permission)


def noted(plan: ScalingPlan, process: str, at: datetime = NOW, **values: Any) -> SuspendedProcess:
    place = {"region": REGION, "group": "web", "process": process, "suspended_at": at}
    return SuspendedProcess.objects.create(company_id=plan.company_id, plan=plan, **place | values)


def open_processes() -> set[str]:
    return set(SuspendedProcess.objects.filter(released_at=None).values_list("process", flat=True))


def test_a_process_is_noted_that_ran_and_is_not_noted_yet_at_that_very_place(plan: ScalingPlan) -> None:
    run, call, before = run_of(plan), suspend("A", "B", "C"), {"A": RUNS, "B": STANDS, "C": RUNS}
    noted(plan, "A")

    def said(run: ScalingRun, call: ApiCall) -> set[str]:
        return {each.process for each in processes_to_note(run=run, call=call, before=before, now=NOW)}

    assert said(run, call) == {"C"}
    assert said(run, suspend("A", "B", "C", account="other")) == {"A", "C"}
    assert said(run, suspend("A", "B", "C", resume=True)) == set()
    assert said(run_of(plan, ROLLBACK), call) == set()


@pytest.mark.parametrize(
    ("unfinished", "made", "left"), [((0,), (), {"old"}), ((0,), (0,), {"old", "new"}), ((), (), {"old", "new"})]
)
def test_what_was_noted_for_a_call_of_which_nothing_came_is_released(
    plan: ScalingPlan, unfinished: tuple[int, ...], made: tuple[int, ...], left: set[str]
) -> None:
    noted(plan, "old", NOW - timedelta(seconds=1))
    noted(plan, "new", NOW)
    calls = [suspend("old", "new")]
    release_processes_after_run(run=run_of(plan), calls=calls, unfinished=unfinished, made=made, now=SOON)
    assert open_processes() == left


def test_processes_that_a_run_resumed_are_released_by_it_and_held_again_by_its_roll_back_alone(
    plan: ScalingPlan,
) -> None:
    noted(plan, "A")
    noted(plan, "by hand", released_at=NOW)
    run, both = run_of(plan), [suspend("A", "by hand", resume=True)]

    def ended(run: ScalingRun, calls: list[ApiCall], *unfinished: int) -> SuspendedProcess:
        release_processes_after_run(run=run, calls=calls, unfinished=unfinished, made=(0,), now=SOON)
        return SuspendedProcess.objects.get(process="A")

    assert ended(run, both, 0).released_at is None
    assert ended(run, both).released_by == run
    back, again = run_of(plan, ROLLBACK), [suspend("A", "by hand")]
    assert ended(back, again, 0).released_by == run
    assert ended(back, again).released_at is None
    assert (open_processes(), ended(back, again).released_by) == ({"A"}, None)
    taken_back = ended(back, both)
    assert (taken_back.released_at, taken_back.released_by) == (SOON, None)


def test_what_runs_again_is_released_and_a_group_that_was_not_found_says_nothing(plan: ScalingPlan) -> None:
    noted(plan, "A")
    noted(plan, "B")
    noted(plan, "gone", group="gone")
    noted(plan_of("other"), "of another company")
    stands = frozenset({"B"})
    found = Group("web", "dev", REGION, Capacity(1, 4, 2), MIXED, opted_in=True, suspended=stands)
    release_processes_found_running(company_id=plan.company_id, groups=[found], now=SOON)
    assert open_processes() == {"B", "gone", "of another company"}


def test_a_process_is_left_by_its_own_company_and_not_while_a_run_of_that_is_open(plan: ScalingPlan) -> None:
    other, row = plan_of("other"), noted(plan, "A")

    def leave(company: int) -> None:
        leave_suspended(company_id=company, process_id=row.pk, actor="ada", reason="zones differ", now=SOON)

    with pytest.raises(NotAllowed, match="holds no process"):
        leave(other.company_id)
    ScalingRun.objects.create(company_id=plan.company_id, plan=plan, kind=APPLY, started_at=NOW, resume_at=NOW)
    with pytest.raises(EngineBusy):
        leave(plan.company_id)
    ScalingRun.objects.update(company_id=other.company_id, plan=other)
    leave(plan.company_id)
    assert PlanningCursor.objects.get(company_id=plan.company_id).look_again_at == SOON


STOP = call_on("db", {"running": True}, {"running": False}, action="power_database")
CANCEL = call_on("sir-1", {"bids": True}, {"bids": False}, action="spot_request")


def started(call: ApiCall) -> ApiCall:
    return call._replace(before=call.after, after=call.before)


def held(run: ScalingRun, call: ApiCall, at: datetime = NOW) -> HeldResource:
    row = resource_to_hold(run=run, call=call, before=call.before, now=at)
    assert row is not None
    row.save()
    return row


def test_a_resource_is_held_once_by_what_stops_it_and_is_held_for_each_company(plan: ScalingPlan) -> None:
    run = run_of(plan)
    for call in (started(STOP), call_on("web", LARGE, SMALL)):
        assert resource_to_hold(run=run, call=call, before=call.before, now=NOW) is None
    held(run_of(plan_of("other")), STOP)
    held(run, STOP)
    for again in (run, run_of(plan, ROLLBACK)):
        assert resource_to_hold(run=again, call=STOP, before=STOP.before, now=NOW) is None
    assert resource_to_hold(run=run_of(plan, ROLLBACK), call=CANCEL, before=CANCEL.before, now=NOW) is None


@pytest.mark.parametrize("call", [STOP, CANCEL], ids=["stops", "cancels"])
@pytest.mark.parametrize(
    ("at", "unfinished", "made", "stays"),
    [
        (NOW, (0,), (), False),
        (NOW - timedelta(seconds=1), (0,), (), True),
        (NOW, (0,), (0,), True),
        (NOW, (), (), True),
    ],
)
def test_a_resource_is_let_go_when_nothing_came_of_the_call_it_was_kept_for(
    plan: ScalingPlan, call: ApiCall, at: datetime, unfinished: tuple[int, ...], made: tuple[int, ...], stays: bool
) -> None:
    run = run_of(plan)
    row = held(run, call, at)
    release_after_run(run=run, calls=[call], unfinished=unfinished, made=made, now=SOON)
    row.refresh_from_db()
    assert (row.released_at is None) is stays


@pytest.mark.parametrize("call", [STOP, CANCEL], ids=["starts", "bids again"])
def test_a_resource_that_runs_again_is_released_by_that_run_and_held_again_by_its_roll_back(
    plan: ScalingPlan, call: ApiCall
) -> None:
    run = run_of(plan)
    row = held(run, call)

    def ended(run: ScalingRun, call: ApiCall, *unfinished: int) -> HeldResource:
        release_after_run(run=run, calls=[call], unfinished=unfinished, made=(), now=SOON)
        row.refresh_from_db()
        return row

    assert ended(run, started(call), 0).released_at is None
    assert ended(run, started(call)).released_by == run
    back = run_of(plan, ROLLBACK)
    assert ended(back, call, 0).released_by == run
    assert ended(back, call).released_at is None
    assert ended(back, call).released_by is None
    assert ended(back, started(call)).released_at == SOON
    assert ended(back, call).released_by is None
    assert row.released_at == SOON, "who released it was not the run that is taken back"


RESIZE = call_on("web", LARGE, SMALL)
RESTORE = call_on("web", SMALL, LARGE, because=RESTORED)


def kept(plan: ScalingPlan, run: ScalingRun, call: ApiCall = RESIZE, at: datetime = NOW) -> GroupSize:
    row = size_to_keep(run=run, call=call, now=at)
    assert row is not None
    row.save()
    return row


def test_the_size_before_the_first_call_on_a_group_is_kept_once(plan: ScalingPlan) -> None:
    shared_out = {"spot": True, "on_demand_percent": 25}
    turn = call_on("web", shared_out, {"spot": False, "on_demand_percent": 100}, action="spot_mode")
    later = call_on("web", SMALL, LARGE)
    other = call_on("api", {**LARGE, "spot": False}, SMALL)
    run = run_of(plan, APPLY, other, turn, RESIZE, later)
    row = kept(plan, run, turn)
    assert (row.min, row.max, row.desired, row.spot, row.on_demand_percent) == (1, 4, 3, True, 25)
    assert size_to_keep(run=run, call=RESIZE, now=NOW) is None
    row.delete()
    assert size_to_keep(run=run, call=RESTORE, now=NOW) is None
    assert size_to_keep(run=run_of(plan, APPLY, turn), call=turn, now=NOW) is None
    assert size_to_keep(run=run_of(plan, ROLLBACK, RESIZE), call=RESIZE, now=NOW) is None
    assert kept(plan, run_of(plan, APPLY, RESIZE)).spot is None
    wanted = plan_of("other", wanted_p5_days=90)
    assert size_to_keep(run=run_of(wanted, APPLY, RESTORE), call=RESTORE, now=NOW) is not None


@pytest.mark.parametrize(
    ("call", "wanted", "unfinished", "stays"),
    [
        (RESTORE, None, (), False),
        (RESTORE, None, (0,), True),
        (RESTORE, 90, (), True),
        (RESIZE, None, (), True),
        (RESTORE._replace(after={**LARGE, "desired": 2}), None, (), True),
        (RESTORE._replace(after={"min": 4, "max": 4, "desired": 4}), None, (), False),
        (RESTORE._replace(after={**LARGE, "desired": 2}, because="otherwise"), None, (), False),
    ],
    ids=["back", "not done", "a person's", "a row's", "a step", "lifted to a floor", "otherwise"],
)
def test_a_size_is_cleared_once_the_group_is_brought_back(
    plan: ScalingPlan, call: ApiCall, wanted: int | None, unfinished: tuple[int, ...], stays: bool
) -> None:
    row = kept(plan, run_of(plan, APPLY, RESIZE), at=SOON)
    ScalingPlan.objects.update(wanted_p5_days=wanted)
    run = ScalingRun.objects.get(pk=run_of(plan, APPLY, call).pk)
    clear_restored(run=run, calls=[call], unfinished=unfinished, now=NOW)
    row.refresh_from_db()
    assert (row.restored_at, row.restored_by) == ((None, None) if stays else (SOON, run))


def test_a_roll_back_clears_what_its_run_kept_and_opens_again_what_it_cleared(plan: ScalingPlan) -> None:
    run = run_of(plan, APPLY, RESIZE)
    row, back = kept(plan, run), run_of(plan, ROLLBACK)

    def rolled_back(**values: Any) -> GroupSize:
        GroupSize.objects.filter(pk=row.pk).update(**{"restored_at": None, "restored_by": None} | values)
        clear_restored(run=back, calls=[RESTORE], unfinished=(), now=SOON)
        row.refresh_from_db()
        return row

    assert (rolled_back().restored_at, row.restored_by) == (SOON, None)
    assert rolled_back(journalled_at=NOW - timedelta(seconds=1)).restored_at is None
    other = ScalingPlan.objects.create(
        company_id=plan.company_id,
        policy=plan.policy,
        p5_days=50,
        rows_in_force=[ROW],
        created_at=NOW,
        confirmed_at=NOW,
    )
    assert rolled_back(journalled_at=NOW, plan=other).restored_at is None
    assert rolled_back(restored_at=NOW, restored_by=run).restored_at is None
    assert row.restored_by is None
    GroupSize.objects.filter(pk=row.pk).update(restored_at=NOW, restored_by=run)
    current = kept(other, run_of(other, APPLY, RESIZE))
    clear_restored(run=back, calls=[RESTORE], unfinished=(), now=SOON)
    row.refresh_from_db()
    current.refresh_from_db()
    assert (row.restored_at, current.restored_at) == (NOW, None), "a size that is kept already stays the one"


def test_a_size_is_cleared_when_the_group_is_found_so_and_nothing_holds_it(plan: ScalingPlan) -> None:
    row, elsewhere = kept(plan, run_of(plan, APPLY, RESIZE)), plan_of("other")
    theirs = kept(elsewhere, run_of(elsewhere, APPLY, RESIZE))
    found = Group("web", "dev", REGION, Capacity(1, 4, 3), MIXED, opted_in=True)
    said = EnginePlan("ladder", NOW, 300, 1, Band.of(()), ())
    dev = Band.of(row for row in LADDER.rows if row.environment == "dev")

    def looked(group: Group, said: EnginePlan) -> bool:
        clear_found_restored(company_id=plan.company_id, groups=[group], plan=said, now=SOON)
        row.refresh_from_db()
        return row.restored_at is not None

    assert not looked(found, replace(said, read_only_because=(Reason("stale", "stale"),)))
    assert not looked(found, replace(said, band=None))
    assert not looked(found, replace(said, band=dev))
    assert not looked(found, replace(said, calls=(RESTORE,)))
    assert not looked(replace(found, opted_in=False), said)
    assert not looked(replace(found, name="another"), said)
    for size in (Capacity(0, 4, 3), Capacity(1, 5, 3), Capacity(1, 4, 2)):
        assert not looked(replace(found, capacity=size), said)
    assert looked(found, said)
    theirs.refresh_from_db()
    assert (row.restored_by, theirs.restored_at) == (None, None)


def test_a_choice_keeps_the_ladder_from_growth_and_a_roll_back_from_everything(plan: ScalingPlan) -> None:
    exclude_after_choice(run=run_of(plan), calls=[RESIZE], now=NOW)
    ScalingPlan.objects.update(wanted_p5_days=90)
    plan.refresh_from_db()
    applied = run_of(plan)
    exclude_after_choice(run=run_of(plan, ROLLBACK), calls=[RESIZE], now=NOW)
    assert not Exclusion.objects.exists()
    exclude_after_choice(run=applied, calls=[RESIZE], now=NOW)
    chosen = Exclusion.objects.get()
    assert (chosen.only_growth, chosen.ends_at, chosen.actor) == (True, NOW + AFTER_CHOICE, "ada")
    exclude_after_rollback(plan=plan, calls=[RESIZE, RESTORE], actor="ben", reason="r" * 500, now=SOON)
    chosen.refresh_from_db()
    assert (chosen.lifted_at, chosen.lifted_by) == (SOON, f"plan {plan.pk}")
    (taken,) = Exclusion.objects.filter(lifted_at=None)
    assert (taken.only_growth, taken.ends_at) == (False, SOON + AFTER_ROLLBACK)
    assert len(taken.because) == 500


def test_a_choice_says_nothing_of_groups_that_it_made_larger_or_left_in_size(plan: ScalingPlan) -> None:
    ScalingPlan.objects.update(wanted_p5_days=90)
    plan.refresh_from_db()
    grown, narrowed = call_on("grown", SMALL, LARGE), call_on("narrowed", LARGE, {**LARGE, "max": 3})
    exclude_after_choice(run=run_of(plan), calls=[grown, RESIZE, narrowed], now=NOW)
    assert [each.name for each in Exclusion.objects.all()] == [RESIZE.group]


def test_an_exclusion_is_lifted_once_before_its_end_and_by_its_own_company(plan: ScalingPlan) -> None:
    exclude_after_rollback(plan=plan, calls=[RESIZE], actor="ben", reason="load", now=NOW)
    row, other = Exclusion.objects.get(), plan_of("other")

    def lift(company: int, number: int, now: datetime) -> None:
        lift_exclusion(company_id=company, exclusion_id=number, actor="ada", reason="over", now=now)

    end = row.ends_at
    for company, number, now in ((plan.company_id, row.pk, end), (other.company_id, row.pk, NOW)):
        with pytest.raises(NotAllowed):
            lift(company, number, now)
    for number in (0, -1, 2**63):
        with pytest.raises(NotAllowed):
            lift(plan.company_id, number, NOW)
    moment = end - timedelta(microseconds=1)
    lift(plan.company_id, row.pk, moment)
    row.refresh_from_db()
    assert (row.lifted_at, row.lifted_by) == (moment, "ada: over")
    assert PlanningCursor.objects.get().look_again_at == moment
    with pytest.raises(NotAllowed):
        lift(plan.company_id, row.pk, moment)
