"""How people who did something are named on pages."""

from django import template

register = template.Library()


@register.filter
def who(actor: str) -> str:
    """`page:ann@acme.example` -> `ann@acme.example`. Who came by another door keeps its name."""
    return actor.removeprefix("page:")
