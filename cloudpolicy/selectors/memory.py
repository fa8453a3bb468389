"""What the policy remembers of its past decisions."""

from datetime import datetime

from cloudpolicy.engine.call import parse_call
from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.exclusion import Place
from cloudpolicy.engine.history import History, JournalledSize
from cloudpolicy.engine.resource import Held
from cloudpolicy.engine.standing import Standing, Turn
from cloudpolicy.models.group_size import GroupSize
from cloudpolicy.models.held_resource import HeldResource
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.standing import LadderStanding
from cloudpolicy.models.suspended_process import SuspendedProcess
from cloudpolicy.selectors.exclusions import exclusions_now


def read_history(*, company_id: int, now: datetime) -> History:
    """Where the last decision on a trusted forecast left the ladder, and the sizes to return to.

    A read-only plan shows what a doubtful figure would imply; it must not move the ladder.
    """
    sizes = {
        (size.account, size.region, size.group): JournalledSize(
            Capacity(size.min, size.max, size.desired), size.spot, size.on_demand_percent
        )
        for size in GroupSize.objects.filter(company_id=company_id, restored_at__isnull=True)
    }
    return History(
        standing=read_standing(company_id=company_id),
        sizes=sizes,
        held=held_resources(company_id=company_id),
        suspended=suspended_processes(company_id=company_id),
        exclusions={each.place: each for each in exclusions_now(company_id=company_id, now=now)},
    )


def suspended_processes(*, company_id: int) -> dict[Place, frozenset[str]]:
    """By group, the processes that stand still because a plan suspended them."""
    rows = SuspendedProcess.objects.filter(company_id=company_id, released_at__isnull=True)
    found: dict[Place, frozenset[str]] = {}
    for row in rows:
        place = (row.account, row.region, row.group)
        found[place] = found.get(place, frozenset()) | {row.process}
    return found


def held_resources(*, company_id: int) -> tuple[Held, ...]:
    """What stands still because a plan stopped it, in the order in which that was done."""
    rows = HeldResource.objects.filter(company_id=company_id, released_at__isnull=True).order_by("id")
    return tuple(Held(parse_call(row.call), row.before) for row in rows)


def read_standing(*, company_id: int) -> Standing:
    row = LadderStanding.objects.filter(company_id=company_id).first()
    if row is None:
        return Standing(_rows_of_last_plan(company_id))
    turns = {
        environment: Turn(datetime.fromisoformat(turn["at"]), turn["direction"])
        for environment, turn in row.turns.items()
    }
    return Standing(frozenset(row.rows_in_force), row.waiting, turns, row.counted_run)


def _rows_of_last_plan(company_id: int) -> frozenset[str]:
    """A company that was planned for before standings were kept has its rows in its plans alone."""
    rows = (
        ScalingPlan.objects.filter(company_id=company_id, read_only_because=[])
        .order_by("-id")
        .values_list("rows_in_force", flat=True)
        .first()
    )
    return frozenset(rows or ())
