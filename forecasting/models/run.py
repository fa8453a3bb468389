"""One stored forecast with everything needed to repeat it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from forecasting.models.plan import Plan
from ledger.models.company import Company


class Basis(models.TextChoices):
    FREE = "free", "Free cash"
    BANK = "bank", "Bank cash"


class ForecastRun(models.Model):
    """A published forecast of one company on one basis.

    The same position, plan, seed and engine give the same numbers, so the row is unique on what went in:
    computing it again finds it instead of adding a twin. `history_digest` covers what those four do not name:
    exchange rates of the day, balances stated without an event.

    Attributes:
        position: journal position that was read.
        history_digest: SHA-256 of everything the engine was given (`services/history.py`).
        history_parts: SHA-256 of each part of what the engine was given, so that a difference can be named.
        input_digest: SHA-256 of what the engine made of it and simulated, as in `result`.
        plan, plan_digest: version of the plan; null and '' when the company has none.
        result: the forecast as of design section 4, as JSON.
        closing_balances: `{"first_day": ISO date, "balances": ["…"]}`, what the balance really was on the days
            before and on `as_of`, for the chart.
        p5_days, p50_days, p95_days: copies from `result`, for lists and metrics without reading it.
        published_day: the company's calendar day on which the run was published; the last run of a day is kept.
        cited: something downstream (a scaling plan) refers to the run, so it is kept whatever its age.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="forecast_runs")
    basis = models.CharField(max_length=4, choices=Basis)
    as_of = models.DateField()
    position = models.BigIntegerField()
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT, related_name="forecast_runs")
    plan_digest = models.CharField(max_length=64, blank=True)
    seed = models.BigIntegerField()
    horizon_days = models.PositiveIntegerField()
    paths = models.PositiveIntegerField()
    engine_version = models.CharField(max_length=32)
    numpy_version = models.CharField(max_length=32)
    cpu_features = ArrayField(models.CharField(max_length=32), default=list)
    history_digest = models.CharField(max_length=64)
    history_parts = models.JSONField(default=dict)
    input_digest = models.CharField(max_length=64)
    result = models.JSONField()
    closing_balances = models.JSONField()
    p5_days = models.PositiveIntegerField()
    p50_days = models.PositiveIntegerField()
    p95_days = models.PositiveIntegerField()
    duration_ms = models.FloatField()
    computed_at = models.DateTimeField()
    published_day = models.DateField()
    cited = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "company",
                    "basis",
                    "as_of",
                    "position",
                    "plan",
                    "seed",
                    "horizon_days",
                    "paths",
                    "engine_version",
                    "history_digest",
                ],
                name="forecast_run_is_repeatable",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(basis__in=Basis.values), name="forecast_run_basis_is_known"),
            models.CheckConstraint(
                condition=Q(p5_days__lte=models.F("p50_days"), p50_days__lte=models.F("p95_days")),
                name="forecast_run_quantiles_are_ordered",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "basis", "-published_day", "-id"], name="forecast_run_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.basis} cash as of {self.as_of}, position {self.position}"
