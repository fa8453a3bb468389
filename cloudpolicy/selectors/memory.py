"""What the policy remembers of its past decisions."""

from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.history import History, JournalledSize
from cloudpolicy.models.group_size import GroupSize
from cloudpolicy.models.plan import ScalingPlan


def read_history(*, company_id: int) -> History:
    """Rows left in force by the last plan on a trusted forecast, and the sizes to return to.

    A read-only plan shows what a doubtful figure would imply; it must not move the ladder.
    """
    rows = (
        ScalingPlan.objects.filter(company_id=company_id, read_only_because=[])
        .order_by("-id")
        .values_list("rows_in_force", flat=True)
        .first()
    )
    sizes = {
        (size.region, size.group): JournalledSize(Capacity(size.min, size.max, size.desired), size.spot)
        for size in GroupSize.objects.filter(company_id=company_id, restored_at__isnull=True)
    }
    return History(frozenset(rows or ()), sizes)
