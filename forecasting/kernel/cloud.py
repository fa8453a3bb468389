"""Cloud usage, paid by grants while they last and by invoice a month later.

Credits are steps: on the day a grant is used up or expires, the whole usage turns into invoices.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.calendar import MonthSteps
from forecasting.kernel.inputs import CloudUsage
from forecasting.kernel.walk_terms import GrantLaw


@dataclass(frozen=True, slots=True, eq=False)
class CloudMonths:
    """One provider's calendar, the same for all paths.

    Attributes:
        grants: what is used in each month, and what may pay for it.
        invoice_indexes: int64 [steps], index of the day on which the month before is paid; at or after the step's
            end it is beyond the horizon. Step 0 pays nothing here: an invoice already issued is a certain flow.
    """

    grants: GrantLaw
    invoice_indexes: NDArray[np.int64]


def cloud_months(*, cloud: CloudUsage, steps: MonthSteps) -> CloudMonths:
    """Cut one provider's usage and grants into month steps."""
    running = np.concatenate([[0.0], np.cumsum(cloud.usage.daily)])
    at_start = running[steps.starts]
    last_days = np.array([grant.expires_day for grant in cloud.grants], dtype=np.int64)
    ends = np.clip(last_days[:, None], steps.starts, steps.stops)  # a grant's last day t has index t - 1
    return CloudMonths(
        grants=GrantLaw(
            usage=running[steps.stops] - at_start,
            usage_before_expiry=cloud.payable * (running[ends] - at_start),
            remaining=np.array([grant.remaining for grant in cloud.grants], np.float64),
            unbilled=float(cloud.unbilled),
        ),
        invoice_indexes=np.array(
            [steps.day_index(step=j, day_of_month=cloud.invoice_day_of_month) for j in range(steps.count)]
        ),
    )
