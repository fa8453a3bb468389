"""What wakes a forecast, and its explanation. A receiver only enqueues; what is behind is decided by the job."""

from typing import Any

from django.dispatch import receiver

from forecasting.signals import forecast_published, plan_recorded
from forecasting.wake import wake, wake_explanation
from ledger.signals import journal_advanced


@receiver(journal_advanced, dispatch_uid="forecasting.journal_advanced")
def wake_on_journal_advanced(*, company_id: int, **_: Any) -> None:
    wake(company_id=company_id)


@receiver(plan_recorded, dispatch_uid="forecasting.plan_recorded")
def wake_on_plan_recorded(*, company_id: int, **_: Any) -> None:
    wake(company_id=company_id)


@receiver(forecast_published, dispatch_uid="forecasting.forecast_published")
def wake_on_forecast_published(*, company_id: int, **_: Any) -> None:
    wake_explanation(company_id=company_id)
