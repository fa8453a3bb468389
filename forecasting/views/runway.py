"""The runway page. One view answers a browser with the page, and htmx with the part of it that renews itself."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from forecasting.selectors.page_state import PageState, page_state
from forecasting.views.figure import DEFAULT_RANGE, RANGES
from forecasting.views.headline import NAMES
from forecasting.views.page import PageAddress, RunwayPage, runway_page
from ledger.views.current_company import current_company


@never_cache
@require_safe
def runway(request: HttpRequest) -> HttpResponse:
    """How long the money lasts.

    Query: `basis` free | bank, `range` 3m | 6m | 12m, `company` slug; `seen` is what a poll shows already: while
    that is still true the answer is 204.
    """
    if not request.user.is_authenticated:
        return _to_sign_in(request)
    basis = _one_of(request, "basis", known=tuple(NAMES), default="free")
    view_range = _one_of(request, "range", known=tuple(RANGES), default=DEFAULT_RANGE)
    chosen = current_company(request)
    if chosen is None:
        return _answer(request, RunwayPage(company=None))
    now = timezone.now().astimezone(ZoneInfo(chosen.company.timezone))
    state = page_state(company_id=chosen.company.id, basis=basis)
    seen = _seen(state, now=now)
    if _is_fragment(request) and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    slug = chosen.company.slug if len(chosen.choices) > 1 else ""
    page = runway_page(
        chosen=chosen,
        address=PageAddress(company=slug, basis=basis, view_range=view_range),
        state=state,
        seen=seen,
        now=now,
        origin=request.build_absolute_uri("/")[:-1],
    )
    return _answer(request, page)


def _is_fragment(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if _is_fragment(request):
        # Followed by fetch, the sign-in page would be swapped into the middle of this one.
        return HttpResponseClientRedirect(resolve_url("sign-in"))
    return redirect_to_login(request.get_full_path())


def _one_of(request: HttpRequest, name: str, *, known: tuple[str, ...], default: str) -> str:
    value = request.GET.get(name, default)
    if value not in known:
        raise BadRequest(f"{name}: must be one of {', '.join(known)}.")
    return value


def _seen(state: PageState, *, now: datetime) -> str:
    """Changes whenever the page would: another run, its explanation, newer events, a refusal, another day."""
    if state.run_id is None:
        return f"0-{state.position}-{len(state.refusal)}-{now:%Y%m%d}"
    return f"{state.run_id}-{int(state.is_explained)}{int(state.is_behind)}-{len(state.refusal)}-{now:%Y%m%d}"


def _answer(request: HttpRequest, page: RunwayPage) -> HttpResponse:
    is_fragment = _is_fragment(request)
    template = "forecasting/runway_live.html" if is_fragment else "forecasting/runway.html"
    response = render(request, template, {"page": page, "is_fragment": is_fragment})
    # The same address has two representations; a cache in between must not mix them up.
    patch_vary_headers(response, ("HX-Request",))
    return response
