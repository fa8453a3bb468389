"""Whether an open page still shows what is true: the cheap look behind the poll that it sends every second."""

from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef

from forecasting.models.cursor import ForecastCursor
from forecasting.models.explanation import ForecastExplanation
from forecasting.models.plan import Plan
from ledger.selectors.journal import journal_position


@dataclass(frozen=True, slots=True)
class PageState:
    """How the run in force (None before the first) stands to journal and plan.

    Attributes:
        position: head of the journal.
        is_explained: something is said about that run beside its numbers.
        is_behind: journal or plan have moved on since the forecast read them.
        refusal: why the last attempt could not produce a forecast, '' when it could.
    """

    run_id: int | None
    is_explained: bool
    position: int
    is_behind: bool
    refusal: str


def page_state(*, company_id: int, basis: str) -> PageState:
    """Look at the heads of journal and plan and at the cursor; read no figure."""
    position = journal_position(company_id=company_id)
    plan_version = Plan.objects.filter(company_id=company_id).aggregate(newest=Max("version"))["newest"] or 0
    row = (
        ForecastCursor.objects.filter(company_id=company_id)
        .annotate(
            is_explained=Exists(
                ForecastExplanation.objects.filter(
                    company_id=OuterRef("company_id"), run_id=OuterRef(f"{basis}_run_id")
                )
            )
        )
        .values_list(f"{basis}_run_id", "is_explained", "position", "plan_version", "refusal")
        .first()
    )
    run_id, is_explained, read_position, read_plan, refusal = row or (None, False, -1, 0, "")
    return PageState(
        run_id=run_id,
        is_explained=is_explained,
        position=position,
        is_behind=position > read_position or plan_version > read_plan,
        refusal=refusal,
    )
