"""Instants in the admin as the pages show them: in the time of the company whose row it is."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin

from ledger.templatetags.amounts import instant


def company_time(name: str) -> Callable[[Any, Any], str]:
    """A method of an admin that shows one instant of its rows, which belong to companies."""

    @admin.display(description=name.removesuffix("_at").replace("_", " "), ordering=name)
    def shown(_admin: Any, row: Any) -> str:
        return instant_of(row, name)

    return shown


def instant_of(row: Any, name: str) -> str:
    """`23 Nov 2026, 09:14 EST`; `-` where there is none."""
    moment: datetime | None = getattr(row, name)
    return "-" if moment is None else instant(moment.astimezone(ZoneInfo(row.company.timezone)))
