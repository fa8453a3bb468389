"""What every page shows around its content: where one can go, and the theme."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, Resolver404, resolve, reverse

from capstack.views.theme import THEMES, chosen_theme

API_DOCS_PATH = "/api/v1/docs"


@dataclass(frozen=True, slots=True)
class Destination:
    """An entry of the navigation. `key` is its shortcut after `g`."""

    label: str
    url: str
    key: str
    is_here: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    return {"theme": chosen_theme(request), "themes": THEMES, "destinations": _destinations(request)}


def _destinations(request: HttpRequest) -> tuple[Destination, ...]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ()
    known = [("Runway", _address_of("runway"), "r"), ("API", API_DOCS_PATH if _serves(API_DOCS_PATH) else "", "d")]
    if user.is_staff:
        known.append(("Admin", _address_of("admin:index"), "a"))
    return tuple(
        Destination(label=label, url=url, key=key, is_here=request.path == url) for label, url, key in known if url
    )


@cache
def _address_of(name: str) -> str:
    """The address of a page; '' when this installation does not have it."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


@cache
def _serves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
