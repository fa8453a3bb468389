"""What plans are worth, whether it came true, and what the cloud costs beside the runway."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cloudpolicy.engine.score import delivers
from cloudpolicy.engine.worth import CallWorth, parse_call_worth
from cloudpolicy.models.cost_figure import CostFigure
from cloudpolicy.models.plan_price import PlanPrice
from cloudpolicy.models.saving_score import SavingScore, Verdict

MAX_SCORES = 100
JUDGED = (Verdict.DELIVERED, Verdict.SHORT)


@dataclass(frozen=True, slots=True)
class PlanWorth:
    """A plan's worth as it was last found.

    Attributes:
        monthly_saving: of all calls, before credits; None where one is not known.
        credit_share: of the cloud bill, paid by credits lately: that part saves no cash before they end.
        base_p5_days, p5_days: without and with all calls; None where they are not known, and `because` says why.
        calls: one per call, in the plan's order.
    """

    plan_id: int
    priced_at: datetime
    currency: str
    monthly_saving: Decimal | None
    credit_share: Decimal
    base_p5_days: int | None
    p5_days: int | None
    calls: tuple[CallWorth, ...]
    because: str

    @property
    def days_of_p5(self) -> int | None:
        """What all calls together buy."""
        if self.p5_days is None or self.base_p5_days is None:
            return None
        return self.p5_days - self.base_p5_days

    @property
    def monthly_cash_saving(self) -> Decimal | None:
        """What leaves the bank less while credits last."""
        return None if self.monthly_saving is None else self.monthly_saving * (1 - self.credit_share)

    def to_json(self) -> dict[str, Any]:
        return {
            "priced_at": self.priced_at.isoformat(),
            "currency": self.currency,
            "monthly_saving": None if self.monthly_saving is None else f"{self.monthly_saving:.2f}",
            "monthly_cash_saving": None if self.monthly_cash_saving is None else f"{self.monthly_cash_saving:.2f}",
            "credit_share": f"{self.credit_share:f}",
            "base_p5_days": self.base_p5_days,
            "p5_days": self.p5_days,
            "days_of_p5": self.days_of_p5,
            "because": self.because or None,
        }


@dataclass(frozen=True, slots=True)
class ScoredSaving:
    """A run 7 or 30 days on; the fields are those of `SavingScore`.

    Attributes:
        wanted_p5_days: what a person asked its plan to reach; None for a plan of the policy's.
    """

    run_id: int
    plan_id: int
    after_days: int
    band: str
    verdict: str
    currency: str
    predicted: Decimal | None
    billed: Decimal | None
    predicted_days: float | None
    billed_days: float | None
    adjusted_by: Decimal | None
    text: str
    scored_at: datetime
    wanted_p5_days: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "plan_id": self.plan_id,
            "after_days": self.after_days,
            "band": self.band or None,
            "verdict": self.verdict,
            "currency": self.currency,
            "predicted": None if self.predicted is None else f"{self.predicted:.2f}",
            "billed": None if self.billed is None else f"{self.billed:.2f}",
            "predicted_days": self.predicted_days,
            "billed_days": self.billed_days,
            "adjusted_by": None if self.adjusted_by is None else f"{self.adjusted_by:f}",
            "text": self.text,
            "scored_at": self.scored_at.isoformat(),
            "wanted_p5_days": self.wanted_p5_days,
        }


@dataclass(frozen=True, slots=True)
class BandVerdict:
    """A band over its judged runs, each counted once by its longest window.

    Attributes:
        delivers: False flags the band: its plans saved less than half of what they were said to.
    """

    band: str
    runs: int
    predicted: Decimal
    billed: Decimal
    currency: str
    delivers: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "band": self.band or None,
            "runs": self.runs,
            "predicted": f"{self.predicted:.2f}",
            "billed": f"{self.billed:.2f}",
            "currency": self.currency,
            "delivers": self.delivers,
        }


@dataclass(frozen=True, slots=True)
class CostShare:
    """What the cloud cost lately, and the share of it that was saved.

    Attributes:
        share: saved over what it would have cost; None where no bill is there, and `because` says so.
    """

    cost: Decimal | None
    saved: Decimal | None
    share: float | None
    currency: str
    because: str
    looked_at: datetime

    def to_json(self) -> dict[str, Any]:
        return {
            "cost": None if self.cost is None else f"{self.cost:.2f}",
            "saved": None if self.saved is None else f"{self.saved:.2f}",
            "share": None if self.share is None else round(self.share, 4),
            "currency": self.currency,
            "because": self.because or None,
            "looked_at": self.looked_at.isoformat(),
        }


def plan_worth(*, company_id: int, plan_id: int) -> PlanWorth | None:
    """The newest pricing of a plan; None when it has none yet."""
    return plan_worths(company_id=company_id, plan_ids=[plan_id]).get(plan_id)


def plan_worths(*, company_id: int, plan_ids: Collection[int]) -> Mapping[int, PlanWorth]:
    """The newest pricings, by number of the plan; plans that have none are left out. One query."""
    rows = PlanPrice.objects.filter(company_id=company_id, plan_id__in=plan_ids)
    return {row.plan_id: _worth(row) for row in rows.order_by("plan_id", "-id").distinct("plan_id")}


def scored_savings(*, company_id: int, limit: int = 20, run_id: int | None = None) -> tuple[ScoredSaving, ...]:
    """Predicted and billed savings side by side, the newest first; of one run, if asked so."""
    rows = SavingScore.objects.filter(company_id=company_id).select_related("run__plan").order_by("-id")
    if run_id is not None:
        rows = rows.filter(run_id=run_id)
    return tuple(_scored(row) for row in rows[: min(limit, MAX_SCORES)])


def band_verdicts(*, company_id: int) -> tuple[BandVerdict, ...]:
    """Whether the bands of the ladder deliver, by name; those that were never judged are left out."""
    # A plan that somebody asked for is no doing of the band that happened to be in force.
    rows = SavingScore.objects.filter(
        company_id=company_id, verdict__in=JUDGED, run__plan__wanted_p5_days__isnull=True
    )
    longest = rows.order_by("run_id", "-after_days").distinct("run_id")
    found: dict[tuple[str, str], list[SavingScore]] = {}
    for row in longest:
        found.setdefault((row.band, row.currency), []).append(row)
    return tuple(_verdict(band, currency, scores) for (band, currency), scores in sorted(found.items()))


def cost_share(*, company_id: int) -> CostShare | None:
    """The figure as the sweep last computed it; None before the first time."""
    row = CostFigure.objects.filter(company_id=company_id).first()
    return None if row is None else _share(row)


def cost_shares_by_company() -> tuple[tuple[str, CostShare], ...]:
    """(slug, figure) of every company that has one."""
    rows = CostFigure.objects.select_related("company").order_by("company__slug")
    return tuple((row.company.slug, _share(row)) for row in rows)


def flagged_bands_by_company() -> tuple[tuple[str, int], ...]:
    """(slug, how many bands do not deliver) of every company that has judged scores."""
    judged = SavingScore.objects.filter(verdict__in=JUDGED)
    companies = judged.values_list("company_id", "company__slug").distinct().order_by("company__slug")
    return tuple(
        (slug, sum(not band.delivers for band in band_verdicts(company_id=company_id)))
        for company_id, slug in companies
    )


def savings_json(*, company_id: int, limit: int = 20) -> dict[str, Any]:
    """Scores, bands and share as the API and the command tell them."""
    share = cost_share(company_id=company_id)
    return {
        "scores": [score.to_json() for score in scored_savings(company_id=company_id, limit=limit)],
        "bands": [band.to_json() for band in band_verdicts(company_id=company_id)],
        "share": None if share is None else share.to_json(),
    }


def _worth(row: PlanPrice) -> PlanWorth:
    return PlanWorth(
        plan_id=row.plan_id,
        priced_at=row.priced_at,
        currency=row.currency,
        monthly_saving=row.monthly_saving,
        credit_share=row.credit_share,
        base_p5_days=row.base_p5_days,
        p5_days=row.p5_days,
        calls=tuple(parse_call_worth(call) for call in row.calls),
        because=row.because,
    )


def _scored(row: SavingScore) -> ScoredSaving:
    return ScoredSaving(
        run_id=row.run_id,
        plan_id=row.run.plan_id,
        after_days=row.after_days,
        band=row.band,
        verdict=row.verdict,
        currency=row.currency,
        predicted=row.predicted,
        billed=row.billed,
        predicted_days=row.predicted_days,
        billed_days=row.billed_days,
        adjusted_by=row.adjusted_by,
        text=row.text,
        scored_at=row.scored_at,
        wanted_p5_days=row.run.plan.wanted_p5_days,
    )


def _verdict(band: str, currency: str, scores: list[SavingScore]) -> BandVerdict:
    predicted = sum((row.predicted or Decimal(0) for row in scores), Decimal(0))
    billed = sum((row.billed or Decimal(0) for row in scores), Decimal(0))
    moved = sum((abs(row.predicted or Decimal(0)) for row in scores), Decimal(0))
    is_true = delivers(predicted=predicted, billed=billed, moved=moved)
    return BandVerdict(band, len(scores), predicted, billed, currency, is_true)


def _share(row: CostFigure) -> CostShare:
    share = None
    if row.cost is not None and row.saved is not None and row.cost + row.saved > 0:
        share = float(row.saved / (row.cost + row.saved))
    return CostShare(row.cost, row.saved, share, row.currency, row.because, row.looked_at)
