"""How far the policy has followed a company's forecasts."""

from django.db import models

from ledger.models.company import Company


class PlanningCursor(models.Model):
    """One row per company. It moves in the transaction that keeps a plan or finds the last one still true.

    Attributes:
        considered_run: number of the last forecast run that was decided upon; null before the first.
        looked_at: when the cloud's groups were last read, or nobody could, as the policy cannot be read.
        look_again_at: when time alone may lead to another plan: quiet hours, a cooldown or an exclusion ends, or
            the policy is another one. Null when it may not.
        tried_at, refusal: the last attempt, and why it could not plan: the cloud did not answer. '' when it could.
    """

    company = models.OneToOneField(
        Company, primary_key=True, on_delete=models.CASCADE, related_name="planning_cursor"
    )
    # No foreign key: forecasting is free to drop runs that no plan cites.
    considered_run = models.BigIntegerField(null=True)
    looked_at = models.DateTimeField(null=True)
    look_again_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=400, blank=True)

    def __str__(self) -> str:
        return f"run {self.considered_run}"
