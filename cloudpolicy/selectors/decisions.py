"""Every decision of the policy with what it came from and what came of it: calls, plan, forecast, journal."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.selectors.plans import StoredPlan, stored_plan
from cloudpolicy.selectors.runs import RunView, runs_of_plans
from forecasting.models.run import ForecastRun
from ledger.selectors.journal import events_at

MAX_DECISIONS = 50


@dataclass(frozen=True, slots=True)
class Cause:
    """The forecast behind a decision, and how far the journal had come when it was made.

    Attributes:
        day: on which it was published, in the company's calendar.
        position: of the last event that it had read; 0 when it had read none.
        event_id: of that event; empty without one.
    """

    forecast_run: int
    day: date
    computed_at: datetime
    position: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A kept plan, its cause (None without a forecast) and its runs, the newest first.

    Attributes:
        confirmations: how often later forecasts led to the same decision.
    """

    plan: StoredPlan
    confirmations: int
    cause: Cause | None
    runs: tuple[RunView, ...]

    @property
    def groups(self) -> int:
        """How many groups its calls are about."""
        return len({(call["account"], call["region"], call["group"]) for call in self.plan.calls})


def decisions(*, company_id: int, limit: int = 20, before_id: int | None = None) -> tuple[Decision, ...]:
    """A company's decisions, newest first; "nothing to do" is one. Five queries, however many."""
    rows = ScalingPlan.objects.filter(company_id=company_id).select_related("policy").order_by("-id")
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    return _decisions(company_id, list(rows[: min(limit, MAX_DECISIONS)]))


def decision(*, company_id: int, plan_id: int) -> Decision | None:
    """One decision; None when the company has no plan of that number."""
    rows = ScalingPlan.objects.filter(company_id=company_id, pk=plan_id).select_related("policy")
    return next(iter(_decisions(company_id, list(rows))), None)


def _decisions(company_id: int, rows: list[ScalingPlan]) -> tuple[Decision, ...]:
    runs = runs_of_plans(company_id=company_id, plan_ids=[row.pk for row in rows])
    causes = _causes(company_id, {row.forecast_run_id for row in rows if row.forecast_run_id is not None})
    return tuple(
        Decision(
            plan=stored_plan(row),
            confirmations=row.confirmations,
            cause=causes.get(row.forecast_run_id or 0),
            runs=runs.get(row.pk, ()),
        )
        for row in rows
    )


def _causes(company_id: int, run_ids: Collection[int]) -> Mapping[int, Cause]:
    rows = list(
        ForecastRun.objects.filter(company_id=company_id, pk__in=run_ids).values_list(
            "id", "published_day", "computed_at", "position"
        )
    )
    events = events_at(
        company_id=company_id, positions=sorted({position for *_, position in rows if position > 0})
    )
    return {
        run_id: Cause(
            forecast_run=run_id,
            day=day,
            computed_at=computed_at,
            position=position,
            event_id=events[position].event_id if position in events else "",
        )
        for run_id, day, computed_at, position in rows
    }
