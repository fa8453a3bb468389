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
        usage: float64 [steps], usage at level 1 in each month step.
        usage_before_expiry: float64 [grants, steps], the part of it that falls on or before a grant's last day.
        remaining: float64 [grants].
        unbilled: usage of the as-of month before day 1, net of credit; invoiced with step 0.
        invoice_indexes: int64 [steps], index of the day on which the month before is paid; at or after the step's
            end it is beyond the horizon. Step 0 pays nothing here: an invoice already issued is a certain flow.
    """

    usage: NDArray[np.float64]
    usage_before_expiry: NDArray[np.float64]
    remaining: NDArray[np.float64]
    unbilled: float
    invoice_indexes: NDArray[np.int64]

    @property
    def grant_law(self) -> GrantLaw:
        """For the loop that draws the grants down, `walk.write_invoices`."""
        return GrantLaw(self.usage, self.usage_before_expiry, self.remaining, self.unbilled)


def cloud_months(*, cloud: CloudUsage, steps: MonthSteps) -> CloudMonths:
    """Cut one provider's usage and grants into month steps."""
    running = np.concatenate([[0.0], np.cumsum(cloud.usage.daily)])
    at_start = running[steps.starts]
    last_days = np.array([grant.expires_day for grant in cloud.grants], dtype=np.int64)
    ends = np.clip(last_days[:, None], steps.starts, steps.stops)  # a grant's last day t has index t - 1
    return CloudMonths(
        usage=running[steps.stops] - at_start,
        usage_before_expiry=running[ends] - at_start,
        remaining=np.array([grant.remaining for grant in cloud.grants], np.float64),
        unbilled=float(cloud.unbilled),
        invoice_indexes=np.array(
            [steps.day_index(step=j, day_of_month=cloud.invoice_day_of_month) for j in range(steps.count)]
        ),
    )
