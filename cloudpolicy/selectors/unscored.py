"""Companies whose savings nobody has looked at for some hours."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from cloudpolicy.models.cost_figure import CostFigure
from cloudpolicy.models.run import ScalingRun
from ledger.models.cloud_bill import BillState, CloudBill
from ledger.models.company import Company

LOOK_EVERY = timedelta(hours=6)


def unscored_companies(*, now: datetime) -> tuple[int, ...]:
    """Numbers of the companies with bills or runs whose figure is older than LOOK_EVERY, or not there."""
    bills = CloudBill.objects.filter(company_id=OuterRef("pk"), state=BillState.CURRENT)
    runs = ScalingRun.objects.filter(company_id=OuterRef("pk"))
    fresh = CostFigure.objects.filter(company_id=OuterRef("pk"), looked_at__gt=now - LOOK_EVERY)
    due = Company.objects.filter(~Exists(fresh), Exists(bills) | Exists(runs))
    return tuple(due.order_by("pk").values_list("pk", flat=True))
