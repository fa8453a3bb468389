"""Reasons of decisions in templates."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django import template

from cloudpolicy.engine.reason import Reason
from cloudpolicy.services.reason_words import reasons_in_words

register = template.Library()


@register.filter
def in_words(reasons: Reason | Iterable[Reason], zone: str) -> str:
    """One reason, or several in one line, with times in a zone by its name."""
    given = (reasons,) if isinstance(reasons, Reason) else reasons
    return reasons_in_words(given, zone=ZoneInfo(zone))
