"""Scaling plans: every decision that the policy took, with its cause."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cloudpolicy.models.policy import PolicyVersion
from forecasting.models.run import ForecastRun
from ledger.models.company import Company


class ScalingPlan(models.Model):
    """One plan. What it says never changes; only its confirmation moves, and later that it was applied.

    action -> plan -> forecast run -> journal position: the run is protected, so that the chain stays whole.

    Attributes:
        p5_days: the figure that was acted on; null when there was none.
        band, rows_in_force: where the runway stood on the ladder; '' and empty without a figure.
        calls: list of `ApiCall.as_dict`.
        read_only_because, warnings: lists of {code, text}.
        digest: over calls, p5, forecast run and policy; an approval binds to it.
        decision: digest over what was decided and why, without the figures.
        confirmed_at, confirmations: while later forecasts lead to the same decision, they are counted here
            instead of adding a row a second.
        wanted_p5_days: of a plan that a person asked for, the p5 that its steps should reach; null in the policy's
            own plans.
        applied_at: null until somebody acts on it.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="scaling_plans")
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="plans")
    forecast_run = models.ForeignKey(
        ForecastRun, null=True, on_delete=models.PROTECT, related_name="scaling_plans"
    )
    p5_days = models.PositiveIntegerField(null=True)
    wanted_p5_days = models.PositiveIntegerField(null=True)
    band = models.CharField(max_length=64, blank=True)
    rows_in_force = ArrayField(models.CharField(max_length=160), default=list)
    calls = models.JSONField(default=list)
    read_only_because = models.JSONField(default=list)
    warnings = models.JSONField(default=list)
    digest = models.CharField(max_length=64)
    decision = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField()
    confirmations = models.PositiveIntegerField(default=0)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(p5_days__isnull=False) | models.Q(calls=[]),
                name="scaling_plan_without_figure_calls_nothing",
            ),
            models.CheckConstraint(
                condition=models.Q(p5_days__isnull=False) | ~models.Q(read_only_because=[]),
                name="scaling_plan_without_figure_is_read_only",
            ),
            models.CheckConstraint(
                condition=models.Q(applied_at__isnull=True) | models.Q(read_only_because=[]),
                name="scaling_plan_read_only_is_never_applied",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_at__gte=models.F("created_at")),
                name="scaling_plan_is_confirmed_after_it_is_made",
            ),
        ]
        indexes = [models.Index(fields=["company", "-id"], name="scaling_plan_newest_first")]

    def __str__(self) -> str:
        return f"plan {self.pk}: {len(self.calls)} calls"
