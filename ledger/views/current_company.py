"""Which company a page is about: named in the address, else by the page that asks, else the one looked at last,
else the first."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest

from ledger.domain.company import CompanyRef
from ledger.selectors.memberships import companies_of

SESSION_KEY = "company"
# Sent by htmx from every page (base.html): what a page asks for is about its own company, whatever another tab
# shows.
HEADER = "Capstack-Company"


@dataclass(frozen=True, slots=True)
class CurrentCompany:
    """The company of the page, the person's role in it, and every company they may switch to (itself included)."""

    company: CompanyRef
    role: str
    choices: tuple[CompanyRef, ...]


def current_company(request: HttpRequest) -> CurrentCompany | None:
    """The company this signed-in request is about; None when the person belongs to none.

    Raises:
        Http404: `?company=` or the header names a company that is not theirs. One that does not exist answers the
            same.
    """
    memberships = companies_of(request.user)
    roles = {company.slug: (company, role) for company, role in memberships}
    named = request.GET.get("company")
    asked = request.headers.get(HEADER) if named is None else named
    if asked is not None:
        if asked not in roles:
            raise Http404("There is no such company among yours.")
        if named is not None and request.session.get(SESSION_KEY) != named:
            request.session[SESSION_KEY] = named
        slug = asked
    else:
        slug = request.session.get(SESSION_KEY, "")
        if slug not in roles:
            slug = next(iter(roles), "")
    if not slug:
        return None
    company, role = roles[slug]
    request.shown_company = slug  # type: ignore[attr-defined]  # for base.html, which sends it back
    return CurrentCompany(company=company, role=role, choices=tuple(company for company, _ in memberships))
