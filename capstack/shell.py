"""What every page shows around its content: where one can go, and the theme."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from capstack.views.theme import THEMES, chosen_theme


@dataclass(frozen=True, slots=True)
class Destination:
    """An entry of the navigation. `key` is its shortcut after `g`."""

    label: str
    url: str
    key: str
    is_here: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    return {
        "theme": chosen_theme(request),
        "themes": THEMES,
        "destinations": _destinations(request),
        "shown_company": getattr(request, "shown_company", ""),
    }


def _destinations(request: HttpRequest) -> tuple[Destination, ...]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ()
    known = [
        ("Runway", reverse("runway"), "r"),
        ("Plan", reverse("plan"), "p"),
        ("What if", reverse("scenarios"), "w"),
        ("Ledger", reverse("ledger"), "l"),
        ("Books", reverse("books"), "b"),
        ("Reconcile", reverse("reconcile"), "e"),
        ("Import", reverse("imports"), "i"),
        ("Accuracy", reverse("accuracy"), "y"),
        ("Cloud", reverse("cloud"), "c"),
    ]
    if user.is_staff:
        known.append(("Admin", reverse("admin:index"), "a"))
    return tuple(
        Destination(label=label, url=url, key=key, is_here=_is_here(request.path, url))
        for label, url, key in known
    )


def _is_here(path: str, url: str) -> bool:
    """The page itself or one below it; everything lies below the first page."""
    return path == url or (len(url) > 1 and path.startswith(f"{url.rstrip('/')}/"))
