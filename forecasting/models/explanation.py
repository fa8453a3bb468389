"""What is said about a stored forecast a moment after its numbers."""

from django.db import models

from forecasting.models.run import ForecastRun
from ledger.models.company import Company


class ForecastExplanation(models.Model):
    """The explanation of one run. Triggers refuse UPDATE and TRUNCATE, and DELETE while its run stands.

    The database deletes it with its run (`ON DELETE CASCADE`); Django would delete it first, and be refused.

    Attributes:
        content: `forecasting.explain.explanation.Explanation.to_json`.
        explained_at: when it was computed.
        duration_ms: how long that took.
    """

    run = models.OneToOneField(
        ForecastRun,
        primary_key=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="explanation",
    )
    company = models.ForeignKey(Company, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    content = models.JSONField()
    explained_at = models.DateTimeField()
    duration_ms = models.FloatField()

    class Meta:
        indexes = [
            models.Index(fields=["company", "-explained_at"], name="explanation_newest"),
        ]

    def __str__(self) -> str:
        return f"of run {self.run_id}"
