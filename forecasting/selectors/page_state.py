"""Whether an open page still shows what is true: the cheap look behind the poll that it sends every second."""

from dataclasses import dataclass

from django.db.models import Max

from forecasting.models.cursor import ForecastCursor
from forecasting.models.plan import Plan
from ledger.selectors.journal import journal_position


@dataclass(frozen=True, slots=True)
class PageState:
    """How the run in force (None before the first) stands to journal and plan.

    Attributes:
        position: head of the journal.
        is_behind: journal or plan have moved on since the forecast read them.
        refusal: why the last attempt could not produce a forecast, '' when it could.
    """

    run_id: int | None
    position: int
    is_behind: bool
    refusal: str


def page_state(*, company_id: int, basis: str) -> PageState:
    """Look at the heads of journal and plan and at the cursor; read no figure."""
    position = journal_position(company_id=company_id)
    plan_version = Plan.objects.filter(company_id=company_id).aggregate(newest=Max("version"))["newest"] or 0
    row = (
        ForecastCursor.objects.filter(company_id=company_id)
        .values_list(f"{basis}_run_id", "position", "plan_version", "refusal")
        .first()
    )
    run_id, read_position, read_plan, refusal = row or (None, -1, 0, "")
    return PageState(
        run_id=run_id,
        position=position,
        is_behind=position > read_position or plan_version > read_plan,
        refusal=refusal,
    )
