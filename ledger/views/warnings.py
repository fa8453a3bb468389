"""What the data warns of. The page lists it; the fragment is the line that other pages put above their rows."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from ledger.domain.data_warning import DataWarning
from ledger.selectors.data_warnings import data_warnings
from ledger.services.daily_flows import keep_up
from ledger.views.company_page import address, answer, company_page, local_now
from ledger.views.current_company import CurrentCompany


@dataclass(frozen=True, slots=True)
class WarningLine:
    """A warning with the address of the rows that it is about."""

    warning: DataWarning
    rows_url: str


@require_safe
@company_page
def warnings(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    company = chosen.company
    is_summed = keep_up(company_id=company.id)
    found = data_warnings(company_id=company.id, timezone=company.timezone, now=local_now(chosen))
    return answer(
        request,
        chosen,
        page="ledger/warnings.html",
        fragment="ledger/warnings_line.html",
        is_summed=is_summed,
        lines=[WarningLine(each, address(reverse("ledger"), **each.rows.query())) for each in found],
        zone=company.timezone,
    )
