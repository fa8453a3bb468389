"""Which plan counts."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from forecasting.fit.plan import PlanDocument, parse_plan

_NEWEST = """
    SELECT id, version, digest, as_of, recorded_at, actor, document::text FROM forecasting_plan
    WHERE company_id = %(company)s AND (%(on)s::date IS NULL OR as_of <= %(on)s::date)
    ORDER BY version DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One version of a company's plan.

    Attributes:
        raw: the document as it was given.
        document: the same, checked.
    """

    plan_id: int
    version: int
    digest: str
    as_of: date
    recorded_at: datetime
    actor: str
    raw: dict[str, Any]
    document: PlanDocument


def plan_in_force(*, company_id: int, on: date | None = None) -> StoredPlan | None:
    """Return the newest version, or the newest whose balances stand on or before `on`; None without one."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, {"company": company_id, "on": on})
        found = cursor.fetchone()
    if found is None:
        return None
    plan_id, version, digest, as_of, recorded_at, actor, text = found
    raw = json.loads(text)
    return StoredPlan(plan_id, version, digest, as_of, recorded_at, actor, raw, parse_plan(raw))
