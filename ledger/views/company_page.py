"""What every page of the ledger asks first: who is it, and which company is it about."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect

from ledger.models.company import Role
from ledger.views.current_company import CurrentCompany, current_company

MAY_ACT = frozenset({Role.FINANCE.value, Role.ADMIN.value})


def company_page[**P](
    view: Callable[Concatenate[HttpRequest, CurrentCompany, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Hand the view its company. Who is not signed in is led to the door; who belongs to none gets 404."""

    @never_cache
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            if is_fragment(request):
                # Followed by fetch, the sign-in page would be swapped into the middle of this one.
                return HttpResponseClientRedirect(resolve_url("sign-in"))
            return redirect_to_login(request.get_full_path())
        chosen = current_company(request)
        if chosen is None:
            raise Http404("You belong to no company yet.")
        return view(request, chosen, *args, **kwargs)

    return checked


def is_fragment(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]


def may_act(chosen: CurrentCompany) -> bool:
    """Whether the person may decide and state, not only read."""
    return chosen.role in MAY_ACT


def require_finance(chosen: CurrentCompany) -> None:
    """Raises:
    PermissionDenied: a founder reads.
    """
    if not may_act(chosen):
        raise PermissionDenied("This is done by finance staff.")


def actor_of(request: HttpRequest) -> str:
    """Who did something by hand, for the record."""
    return f"page:{request.user.get_username()}"[:255]


def local_now(chosen: CurrentCompany) -> datetime:
    return timezone.now().astimezone(ZoneInfo(chosen.company.timezone))


def answer(
    request: HttpRequest,
    chosen: CurrentCompany,
    *,
    page: str,
    fragment: str,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Render the page for a browser, or the part of it that changes for htmx."""
    values = {
        "company": chosen.company,
        "companies": chosen.choices if len(chosen.choices) > 1 else (),
        "may_act": may_act(chosen),
        "today": local_now(chosen).date(),
        "fragment": fragment,
        "is_fragment": is_fragment(request),
        **context,
    }
    response = render(request, fragment if is_fragment(request) else page, values, status=status)
    # The same address has two representations; a cache in between must not mix them up.
    patch_vary_headers(response, ("HX-Request",))
    return response


def address(path: str, **query: object) -> str:
    """A path with the parts of a query that say something."""
    said = {name: value for name, value in query.items() if value not in ("", None)}
    return f"{path}?{urlencode(said)}" if said else path
