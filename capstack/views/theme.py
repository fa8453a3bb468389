"""The reader's choice between light, dark and what the system says."""

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

THEMES = ("auto", "light", "dark")
COOKIE = "theme"
YEAR_SECONDS = 365 * 24 * 3600


def chosen_theme(request: HttpRequest) -> str:
    """What the cookie says; `auto` when it says nothing we know."""
    theme = request.COOKIES.get(COOKIE, "auto")
    return theme if theme in THEMES else "auto"


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Remember the choice in a cookie, so that the server paints the first frame right without a script."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponseBadRequest(f"theme: must be one of {', '.join(THEMES)}.", content_type="text/plain")
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        back = "/"
    response = HttpResponseRedirect(back)
    response.set_cookie(
        COOKIE, theme, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
    )
    return response
