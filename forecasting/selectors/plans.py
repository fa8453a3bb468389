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
_VERSIONS = """
    SELECT version, as_of, recorded_at, actor, (document - 'fx_history')::text,
           CASE WHEN jsonb_array_length(coalesce(document -> 'fx_history', '[]')) > 0
                THEN md5((document -> 'fx_history')::text) ELSE '' END
    FROM forecasting_plan WHERE company_id = %(company)s ORDER BY version DESC LIMIT %(limit)s
"""
_VERSION = "SELECT document::text FROM forecasting_plan WHERE company_id = %(company)s AND version = %(version)s"


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


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """One version of a plan, without the days of its `fx_history`.

    Attributes:
        document: as it was given, but `fx_history`, which is told by its digest alone.
    """

    version: int
    as_of: date
    recorded_at: datetime
    actor: str
    document: dict[str, Any]


def plan_versions(*, company_id: int, limit: int) -> tuple[PlanVersion, ...]:
    """The latest versions, the latest first."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSIONS, {"company": company_id, "limit": limit})
        rows = cursor.fetchall()
    return tuple(
        PlanVersion(
            version, as_of, recorded_at, actor, json.loads(text) | ({"fx_history": [rates]} if rates else {})
        )
        for version, as_of, recorded_at, actor, text, rates in rows
    )


def plan_version(*, company_id: int, version: int) -> dict[str, Any] | None:
    """The document of a version as it was given; None without one."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, {"company": company_id, "version": version})
        found = cursor.fetchone()
    return None if found is None else json.loads(found[0])
