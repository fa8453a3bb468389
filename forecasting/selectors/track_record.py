"""The track record: every past forecast against what happened, one by one and summed up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from statistics import median

import numpy as np
from django.db.models import Count, F, Min, Q, QuerySet

from forecasting.kernel.scoring import reliability
from forecasting.models.record import Backtest, CalibrationVersion, CashScore, RunwayScore
from forecasting.scores import SCORED_DAYS
from forecasting.selectors.calibrations import newest_calibration

MOST_ROWS = 400


@dataclass(frozen=True, slots=True)
class PastForecast:
    """One balance that was foretold for a day, and what it was.

    Attributes:
        actual: without `new_money`: funding received meanwhile that no plan of the day told of.
        run_id: the published forecast; None for one of a back-test.
    """

    as_of: date
    days_ahead: int
    day: date
    p5: Decimal
    p50: Decimal
    p95: Decimal
    actual: Decimal
    new_money: Decimal
    linear: Decimal
    run_id: int | None

    @property
    def is_inside(self) -> bool:
        return self.p5 <= self.actual <= self.p95

    @property
    def miss(self) -> Decimal:
        return self.actual - self.p50

    @property
    def linear_miss(self) -> Decimal:
        return self.actual - self.linear


@dataclass(frozen=True, slots=True)
class HorizonRecord:
    """How balances so many days ahead were foretold. Money in base currency, shares of all outcomes.

    Attributes:
        score, linear_score: mean quantile score, and mean error of linear extrapolation, which is its score.
        width: median of p95 - p5: the sharpness.
        bias: mean of p50 - actual; above zero was too hopeful.
    """

    days_ahead: int
    outcomes: int
    median_error: float
    linear_median_error: float
    score: float
    linear_score: float
    coverage: float
    below_p5: float
    above_p95: float
    width: float
    bias: float


@dataclass(frozen=True, slots=True)
class RunwayRecord:
    """How runways were foretold that are known by now; days, censored one beyond the horizon.

    Attributes:
        ran_out: of the outcomes, how many ended within the horizon.
    """

    outcomes: int
    ran_out: int
    median_error_days: float
    linear_median_error_days: float
    crps_days: float
    linear_crps_days: float
    coverage: float
    below_p5: float


@dataclass(frozen=True, slots=True)
class ZeroBin:
    """Forecasts that stated about the same probability of zero, and how often it came true."""

    stated: float
    happened: float
    outcomes: int


@dataclass(frozen=True, slots=True)
class BacktestState:
    """The newest back-test; under way until `done` is `days`."""

    backtest_id: int
    begun_at: datetime
    engine_version: str
    first_day: date
    last_day: date
    days: int
    done: int
    refused: int


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """Everything that is known about how a company's forecasts came out, on one basis.

    Attributes:
        published, looked_back: how many past forecasts of either kind were held to at least one balance.
        horizons: of those with outcomes.
        zero: reliability of the stated probabilities of zero, over all horizons.
    """

    basis: str
    published: int
    looked_back: int
    horizons: tuple[HorizonRecord, ...]
    runway: RunwayRecord | None
    zero: tuple[ZeroBin, ...]
    backtest: BacktestState | None
    calibration: CalibrationVersion | None


def track_record(*, company_id: int, basis: str) -> TrackRecord:
    """Sum up what past forecasts came to."""
    backtest = newest_backtest(company_id=company_id)
    scores = counted_scores(company_id=company_id, basis=basis, backtest=backtest)
    counts = scores.aggregate(published=Count("run", distinct=True), looked_back=Count("origin", distinct=True))
    rows = list(scores.order_by("as_of", "days_ahead", "id"))
    return TrackRecord(
        basis=basis,
        published=counts["published"],
        looked_back=counts["looked_back"],
        horizons=tuple(
            _horizon(days, [row for row in rows if row.days_ahead == days])
            for days in SCORED_DAYS
            if any(row.days_ahead == days for row in rows)
        ),
        runway=_runway(company_id, basis, backtest),
        zero=_zero(rows),
        backtest=_state(backtest),
        calibration=newest_calibration(company_id=company_id),
    )


def past_forecasts(
    *, company_id: int, basis: str, days_ahead: int, most: int = MOST_ROWS
) -> tuple[PastForecast, ...]:
    """Return the newest forecasts of a balance so many days ahead whose day has come, the newest first."""
    scores = counted_scores(
        company_id=company_id, basis=basis, backtest=newest_backtest(company_id=company_id)
    ).filter(days_ahead=days_ahead)
    return tuple(
        PastForecast(
            as_of=row.as_of,
            days_ahead=row.days_ahead,
            day=row.day,
            p5=row.p5,
            p50=row.p50,
            p95=row.p95,
            actual=row.actual,
            new_money=row.new_money,
            linear=row.linear,
            run_id=row.run_id,
        )
        for row in scores.order_by("-as_of", "-id")[:most]
    )


def newest_backtest(*, company_id: int) -> Backtest | None:
    """The newest one that is done; before the first is done, the one under way."""
    backtests = Backtest.objects.filter(company_id=company_id).annotate(done=Count("origins")).order_by("-id")
    return backtests.filter(done=F("as_of_days__len")).first() or backtests.first()


def counted_scores(*, company_id: int, basis: str, backtest: Backtest | None) -> QuerySet[CashScore]:
    """Scores of published forecasts, and of the back-test for the time before the first of them.

    The same month, told by both, would count twice; what was really said goes before what would have been.
    """
    scores = CashScore.objects.filter(company_id=company_id, basis=basis)
    published = Q(run__isnull=False)
    if backtest is None:
        return scores.filter(published)
    first = scores.filter(published).aggregate(first=Min("as_of"))["first"]
    before = Q(origin__backtest=backtest)
    return scores.filter(published | (before & Q(as_of__lt=first) if first else before))


def share_below_p5(*, company_id: int) -> float | None:
    """How often outcomes came in below p5, as forecasts are stretched now; None while uncalibrated."""
    newest = newest_calibration(company_id=company_id)
    return newest.below_p5 if newest is not None else None


def _horizon(days_ahead: int, rows: Sequence[CashScore]) -> HorizonRecord:
    count = len(rows)
    errors = [abs(float(row.actual - row.p50)) for row in rows]
    linear = [abs(float(row.actual - row.linear)) for row in rows]
    below = sum(row.actual < row.p5 for row in rows) / count
    above = sum(row.actual > row.p95 for row in rows) / count
    return HorizonRecord(
        days_ahead=days_ahead,
        outcomes=count,
        median_error=median(errors),
        linear_median_error=median(linear),
        score=sum(row.score for row in rows) / count,
        linear_score=sum(linear) / count,
        coverage=1.0 - below - above,
        below_p5=below,
        above_p95=above,
        width=median(float(row.p95 - row.p5) for row in rows),
        bias=sum(float(row.p50 - row.actual) for row in rows) / count,
    )


def _runway(company_id: int, basis: str, backtest: Backtest | None) -> RunwayRecord | None:
    scores = RunwayScore.objects.filter(company_id=company_id, basis=basis)
    first = scores.filter(run__isnull=False).aggregate(first=Min("as_of"))["first"]
    before = Q(origin__backtest=backtest) & (Q(as_of__lt=first) if first else Q())
    rows = list(scores.filter(Q(run__isnull=False) | before) if backtest else scores.filter(run__isnull=False))
    if not rows:
        return None
    count = len(rows)
    truths = [row.horizon_days + 1 if row.actual_days is None else row.actual_days for row in rows]
    below = sum(truth < row.p5_days for truth, row in zip(truths, rows, strict=True)) / count
    above = sum(truth > row.p95_days for truth, row in zip(truths, rows, strict=True)) / count
    return RunwayRecord(
        outcomes=count,
        ran_out=sum(row.actual_days is not None for row in rows),
        median_error_days=median(row.error_days for row in rows),
        linear_median_error_days=median(row.linear_error_days for row in rows),
        crps_days=sum(row.crps_days for row in rows) / count,
        linear_crps_days=sum(row.linear_error_days for row in rows) / count,
        coverage=1.0 - below - above,
        below_p5=below,
    )


def _zero(rows: Sequence[CashScore]) -> tuple[ZeroBin, ...]:
    stated = [row for row in rows if row.zero_probability is not None]
    if not stated:
        return ()
    bins = reliability(
        probabilities=np.array([row.zero_probability for row in stated]),
        came_true=np.array([row.was_zero for row in stated]),
    )
    return tuple(ZeroBin(stated=each.mean_forecast, happened=each.frequency, outcomes=each.count) for each in bins)


def _state(backtest: Backtest | None) -> BacktestState | None:
    if backtest is None:
        return None
    done = backtest.origins.aggregate(done=Count("id"), refused=Count("id", filter=~Q(refusal="")))
    return BacktestState(
        backtest_id=backtest.pk,
        begun_at=backtest.begun_at,
        engine_version=backtest.engine_version,
        first_day=backtest.as_of_days[0],
        last_day=backtest.as_of_days[-1],
        days=len(backtest.as_of_days),
        done=done["done"],
        refused=done["refused"],
    )
