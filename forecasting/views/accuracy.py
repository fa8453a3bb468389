"""The accuracy page: every past forecast against what happened, and what was known on any past day."""

from datetime import date

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from forecasting.scores import SCORED_DAYS
from forecasting.views.accuracy_page import AccuracyAddress, accuracy_page
from forecasting.views.headline import NAMES
from ledger.views.company_page import answer, company_page, local_now
from ledger.views.current_company import CurrentCompany


@require_safe
@company_page
def accuracy(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Query: `basis` bank | free, `ahead` 30 | 60 | 90 | 180 days, `on` a day to replay, `company` slug."""
    address = AccuracyAddress(basis=_basis(request), ahead=_ahead(request), on=_day(request))
    return answer(
        request,
        chosen,
        page="forecasting/accuracy.html",
        fragment="forecasting/accuracy_live.html",
        page_of=accuracy_page(company=chosen.company, address=address, now=local_now(chosen)),
        zone=chosen.company.timezone,
    )


def _basis(request: HttpRequest) -> str:
    basis = request.GET.get("basis", "bank")
    if basis not in NAMES:
        raise BadRequest(f"basis: must be one of {', '.join(NAMES)}.")
    return basis


def _ahead(request: HttpRequest) -> int:
    asked = request.GET.get("ahead", str(SCORED_DAYS[0]))
    if asked not in map(str, SCORED_DAYS):
        raise BadRequest(f"ahead: must be one of {', '.join(map(str, SCORED_DAYS))}.")
    return int(asked)


def _day(request: HttpRequest) -> date | None:
    asked = request.GET.get("on", "").strip()
    if not asked:
        return None
    try:
        return date.fromisoformat(asked)
    except ValueError:
        raise BadRequest("on: must be a day like 2026-11-23.") from None
