"""The page of a plan as plain values for the template."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from forecasting.drivers.contribution import Basis, Setting
from forecasting.fit.plan import PlanDocument, PlanProblem
from forecasting.fit.plan_met import met_receivables
from forecasting.selectors.plans import StoredPlan, plan_versions
from forecasting.services.plan_look import Sight, sight
from forecasting.views.known_names import known_names
from forecasting.views.plan_books_form import BooksForm
from forecasting.views.plan_effect import Effect, runway_figures
from forecasting.views.plan_form import RowForm
from forecasting.views.plan_history import SHOWN_VERSIONS, version_rows
from forecasting.views.plan_rows import Facts, plan_sections
from forecasting.views.plan_timeline import plan_timeline
from forecasting.views.seen_runway import seen_runway
from ledger.selectors.balances import credit_grants
from ledger.selectors.journal import last_event_day
from ledger.views.company_page import answer, is_fragment, local_now
from ledger.views.current_company import CurrentCompany

BASIS: Basis = "free"
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Editing:
    """What is being edited, if anything.

    Attributes:
        row, books, text: of the three only the one that is open.
        problems: of the whole plan, by path.
        look: what saving it would do.
        moved: what to know when somebody else saved meanwhile.
        changes: what this plan says otherwise than the one in force.
    """

    row: RowForm | None = None
    books: BooksForm | None = None
    text: str | None = None
    problems: tuple[PlanProblem, ...] = ()
    look: Effect | None = None
    moved: str = ""
    changes: tuple[str, ...] = ()


def show_plan(
    request: HttpRequest,
    chosen: CurrentCompany,
    stored: StoredPlan | None,
    editing: Editing,
    *,
    seen: Sight | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render.

    Args:
        seen: what the plan in force implies, where somebody has looked already.
    """
    company, today, now = chosen.company, local_now(chosen).date(), timezone.now()
    document = stored.document if stored else PlanDocument()
    seen = seen or sight(company=company, basis=BASIS, now=now)
    setting, context = _runway(seen, today=today)
    left = {
        (each.provider, each.expires_on): each.remaining for each in credit_grants(company_id=company.id, at=today)
    }
    facts = Facts(base_currency=company.base_currency, today=today, left=left, came=_came(setting))
    versions = plan_versions(company_id=company.id, limit=SHOWN_VERSIONS + 1) if "versions" in request.GET else ()
    return answer(
        request,
        chosen,
        page="forecasting/plan.html",
        fragment="forecasting/plan_live.html",
        # htmx does not swap an answer that says error; it asked only to look.
        status=200 if is_fragment(request) else status,
        stored=stored,
        document=document,
        editing=editing,
        sections=plan_sections(document, facts=facts, form=editing.row),
        timeline=plan_timeline(document, facts=facts, setting=setting, runout=context.pop("runout")),
        versions=version_rows(versions, today=today),
        shows_versions="versions" in request.GET,
        based_on=stored.version if stored else 0,
        names=known_names(seen.known) if seen.known else {},
        zone=company.timezone,
        **context,
    )


def _came(setting: Setting | None) -> dict[str, date]:
    """What of the plan has come, by the name of its row."""
    if setting is None:
        return {}
    paid = met_receivables(setting.company.rows, setting.history)
    met = {f"tranches-{place}": day for place, day in setting.company.arrived.items()}
    met |= {f"open_receivables-{place}": day for place, day in paid.items()}
    return {name: date.fromordinal(EPOCH + day) for name, day in met.items()}


def _runway(seen: Sight, *, today: date) -> tuple[Setting | None, dict[str, Any]]:
    """The runway that the plan in force gives, for the head of the page and the zone of the timeline."""
    runway, refusal = seen_runway(seen)
    if runway is None or seen.known is None:
        return None, {"runout": None, "waiting_for": refusal}
    is_spent = runway.case.opening_balance <= 0
    return seen.known.setting, {
        "runout": None if is_spent else runway.ends,
        "is_spent": is_spent,
        "figures": runway_figures(runway, today=today),
        "as_of": runway.as_of,
    }


def document_of(stored: StoredPlan | None, chosen: CurrentCompany) -> dict[str, Any]:
    """The plan in force; before the first one, a plan that states no more than the last day of the books."""
    if stored is not None:
        return stored.raw
    today = local_now(chosen).date()
    day = last_event_day(company_id=chosen.company.id, today=today) or today
    return {"as_of": min(day, today).isoformat(), "base_currency": chosen.company.base_currency}
