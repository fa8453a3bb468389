"""How far forecasting has read a company's journal, and who is reading now."""

from django.db import models

from forecasting.models.run import ForecastRun
from ledger.models.company import Company


class ForecastCursor(models.Model):
    """One row per company: position consumed, the forecast in force, and the lease of whoever computes the next.

    The cursor moves in the transaction that stores the runs. A lease is claimed by one conditional UPDATE, and
    publishing is refused to whoever lost it, so two workers never publish one company's forecast out of order.

    Attributes:
        position: the journal position that the last attempt has read, published or refused; -1 before the first.
        plan_version: the plan's version they have read; 0 for none.
        checked_at: when the forecast was last published or found to be what the inputs still imply. It is as
            fresh as that, even when nothing had to be computed.
        free_run, bank_run: the runs in force.
        claimed_at: when the last lease was claimed, on the database's clock; paces recomputation. Null when that
            found neither events nor a plan that were new: then nothing has to wait for it.
        refusal: why the last attempt could not produce a forecast (missing data), '' when it could.
    """

    company = models.OneToOneField(
        Company, primary_key=True, on_delete=models.CASCADE, related_name="forecast_cursor"
    )
    position = models.BigIntegerField(default=-1)
    plan_version = models.PositiveIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    free_run = models.ForeignKey(ForecastRun, null=True, on_delete=models.PROTECT, related_name="+")
    bank_run = models.ForeignKey(ForecastRun, null=True, on_delete=models.PROTECT, related_name="+")
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    refusal = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"position {self.position}"
