"""What wakes the policy. A receiver only enqueues: what a forecast means is decided by the job."""

from typing import Any

from django.dispatch import receiver

from cloudpolicy.wake import wake
from forecasting.signals import forecast_published


@receiver(forecast_published, dispatch_uid="cloudpolicy.forecast_published")
def wake_on_forecast_published(*, company_id: int, **_: Any) -> None:
    wake(company_id=company_id)
