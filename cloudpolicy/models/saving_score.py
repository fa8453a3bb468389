"""What a plan that was applied was said to save, and what the bills say it did."""

from django.db import models

from cloudpolicy.models.run import ScalingRun
from ledger.models.company import Company


class Verdict(models.TextChoices):
    DELIVERED = "delivered", "Delivered"
    SHORT = "short", "Less than half of it"
    OVERTAKEN = "overtaken", "The groups were changed again"
    UNBILLED = "unbilled", "No bill speaks of the groups"
    BLURRED = "blurred", "Before and after share one line of the bill"
    UNPRICED = "unpriced", "Nothing was predicted"


class SavingScore(models.Model):
    """One comparison. Scores are only ever added, one per run and window; a bill restated later changes none.

    Attributes:
        after_days: length of the window before the run and of the one after it.
        predicted, billed: money over the window after it, in base currency; positive is saved.
        predicted_days, billed_days: of p5, both read off what was simulated for the plan.
        adjusted_by: what the rest of the same usage did meanwhile: 1.1 is a tenth more.
        method: `instances`: the lines of the groups' instances.
        text: for people; what stands against the figures.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="saving_scores", db_index=False)
    run = models.ForeignKey(ScalingRun, on_delete=models.PROTECT, related_name="saving_scores", db_index=False)
    after_days = models.PositiveIntegerField()
    band = models.CharField(max_length=64, blank=True)
    verdict = models.CharField(max_length=9, choices=Verdict)
    currency = models.CharField(max_length=3)
    predicted = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    billed = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    predicted_days = models.FloatField(null=True)
    billed_days = models.FloatField(null=True)
    adjusted_by = models.DecimalField(max_digits=9, decimal_places=4, null=True)
    method = models.CharField(max_length=16, blank=True)
    text = models.CharField(max_length=500, blank=True)
    scored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "after_days"], name="a_run_is_scored_once_per_window"),
            models.CheckConstraint(
                condition=~models.Q(verdict__in=[Verdict.DELIVERED, Verdict.SHORT])
                | models.Q(predicted__isnull=False, billed__isnull=False),
                name="saving_score_judges_two_figures",
            ),
        ]
        indexes = [models.Index(fields=["company", "-id"], name="saving_score_newest_first")]

    def __str__(self) -> str:
        return f"run {self.run_id} after {self.after_days} days: {self.verdict}"
