"""Whoever decides about a company's groups takes turns."""

from django.db import connection

# First key of the advisory locks taken here; the second is the company.
PLANNING_LOCK = 0x706C616E  # "plan"


def lock_planning(company_id: int) -> None:
    """Let one planner at a time decide for a company, until its transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [PLANNING_LOCK, company_id % 2**31])
