"""How forecasts came out. Rows of this file are only ever added; triggers refuse UPDATE, DELETE and TRUNCATE."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from forecasting.models.plan import Plan
from forecasting.models.run import Basis, ForecastRun
from ledger.models.company import Company


class Backtest(models.Model):
    """One look back: the forecast made anew, as the model's own, from each of several past days.

    Attributes:
        position: journal position whose events it knows; each past day knows those that had happened by then.
        as_of_days: the days it begins from; it is done when each of them has an origin.
        actor: who asked for it, `scheduler` or `command:backtest`.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    position = models.BigIntegerField()
    as_of_days = ArrayField(models.DateField())
    engine_version = models.CharField(max_length=32)
    numpy_version = models.CharField(max_length=32)
    actor = models.CharField(max_length=255)
    begun_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["company", "-id"], name="backtest_of_a_company")]

    def __str__(self) -> str:
        return f"{len(self.as_of_days)} days before {self.begun_at:%Y-%m-%d}"


class BacktestOrigin(models.Model):
    """One past day of a back-test: what the model would have said, or why it could not.

    Attributes:
        refusal: '' where there was a forecast.
        p5_days, p50_days, p95_days: of the runway, in bank cash; null with a refusal.
    """

    backtest = models.ForeignKey(Backtest, on_delete=models.PROTECT, related_name="origins")
    as_of = models.DateField()
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT, related_name="+")
    refusal = models.TextField(blank=True)
    p5_days = models.PositiveIntegerField(null=True)
    p50_days = models.PositiveIntegerField(null=True)
    p95_days = models.PositiveIntegerField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["backtest", "as_of"], name="backtest_day_is_looked_at_once")
        ]

    def __str__(self) -> str:
        return f"from {self.as_of}"


def _of_one(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(run__isnull=False) ^ Q(origin__isnull=False), name=name)


class CashScore(models.Model):
    """A balance that was foretold for a day, and what it was.

    Attributes:
        run: the published forecast; null for one of a back-test, which `origin` names.
        day: `as_of` + `days_ahead`.
        p5 .. p95: the forecast's quantiles of the closing balance, as they were published.
        actual: closing balance of the day, on the same basis, less `new_money`.
        new_money: funding received meanwhile that no plan of `as_of` told of.
        linear: what the mean burn of the last 90 days would have left.
        normal_score: where `actual` fell in what the model itself said, before any stretch.
        score: quantile score in base currency, twice the mean pinball loss over the five quantiles.
        zero_probability, was_zero: the stated probability that cash runs out by the day, and whether it had.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    run = models.ForeignKey(ForecastRun, null=True, on_delete=models.PROTECT, related_name="cash_scores")
    origin = models.ForeignKey(BacktestOrigin, null=True, on_delete=models.PROTECT, related_name="cash_scores")
    basis = models.CharField(max_length=4, choices=Basis)
    as_of = models.DateField()
    days_ahead = models.PositiveIntegerField()
    day = models.DateField()
    p5 = models.DecimalField(max_digits=24, decimal_places=2)
    p25 = models.DecimalField(max_digits=24, decimal_places=2)
    p50 = models.DecimalField(max_digits=24, decimal_places=2)
    p75 = models.DecimalField(max_digits=24, decimal_places=2)
    p95 = models.DecimalField(max_digits=24, decimal_places=2)
    actual = models.DecimalField(max_digits=24, decimal_places=2)
    new_money = models.DecimalField(max_digits=24, decimal_places=2, default=0)
    linear = models.DecimalField(max_digits=24, decimal_places=2)
    normal_score = models.FloatField()
    score = models.FloatField()
    zero_probability = models.FloatField(null=True)
    was_zero = models.BooleanField()
    scored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "days_ahead"], name="run_is_scored_once_per_horizon"),
            models.UniqueConstraint(fields=["origin", "days_ahead"], name="origin_is_scored_once_per_horizon"),
            _of_one("cash_score_is_of_one_forecast"),
            models.CheckConstraint(condition=Q(basis__in=Basis.values), name="cash_score_basis_is_known"),
        ]
        indexes = [
            models.Index(fields=["company", "basis", "days_ahead", "-as_of"], name="cash_score_of_a_company")
        ]

    def __str__(self) -> str:
        return f"{self.basis} cash on {self.day}, foretold on {self.as_of}"


class RunwayScore(models.Model):
    """A runway that was foretold, and how long the money really lasted, once that is known.

    Attributes:
        horizon_days: of the forecast; days are censored one day beyond it.
        actual_days: None when cash outlasted the horizon.
        crps_days: of the 99 quantiles.
        error_days: |p50 - actual|, both censored.
        linear_days, linear_error_days: what balance over the burn of the last 90 days would have said.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    run = models.ForeignKey(ForecastRun, null=True, on_delete=models.PROTECT, related_name="runway_scores")
    origin = models.ForeignKey(BacktestOrigin, null=True, on_delete=models.PROTECT, related_name="runway_scores")
    basis = models.CharField(max_length=4, choices=Basis)
    as_of = models.DateField()
    horizon_days = models.PositiveIntegerField()
    p5_days = models.PositiveIntegerField()
    p50_days = models.PositiveIntegerField()
    p95_days = models.PositiveIntegerField()
    actual_days = models.PositiveIntegerField(null=True)
    crps_days = models.FloatField()
    error_days = models.FloatField()
    linear_days = models.FloatField()
    linear_error_days = models.FloatField()
    scored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run"], name="run_has_one_runway_score"),
            models.UniqueConstraint(fields=["origin"], name="origin_has_one_runway_score"),
            _of_one("runway_score_is_of_one_forecast"),
            models.CheckConstraint(condition=Q(basis__in=Basis.values), name="runway_score_basis_is_known"),
        ]
        indexes = [models.Index(fields=["company", "basis", "-as_of"], name="runway_score_of_a_company")]

    def __str__(self) -> str:
        return f"{self.basis} runway foretold on {self.as_of}"


class CalibrationVersion(models.Model):
    """What the record said about the width of forecasts at one time; the newest one counts.

    Attributes:
        state, dispersion, windows: as `forecasting.outcome.Calibration`.
        stretch: the factor that fits the record alone.
        coverage_before, coverage: share within p5 and p95 before and after the stretch; null without outcomes.
        below_p5: share below the stretched p5, drawn towards 5 % while windows are few; null while uncalibrated.
        outcomes: balances that were compared.
        backtest: the newest one it rests on, null when it rests on published forecasts alone.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=12)
    dispersion = models.FloatField()
    windows = models.FloatField()
    stretch = models.FloatField()
    coverage_before = models.FloatField(null=True)
    coverage = models.FloatField(null=True)
    below_p5 = models.FloatField(null=True)
    outcomes = models.PositiveIntegerField()
    backtest = models.ForeignKey(Backtest, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="uncalibrated", dispersion=1.0)
                | Q(state="calibrated", dispersion__gte=0.5, dispersion__lte=3.0),
                name="calibration_is_within_bounds",
            ),
        ]
        indexes = [models.Index(fields=["company", "-id"], name="calibration_of_a_company")]

    def __str__(self) -> str:
        return f"{self.state}, {self.dispersion} from {self.windows:g} windows"
