"""What-ifs that people keep, as pages and the API read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from forecasting.models.scenario import Scenario, ScenarioVersion
from forecasting.scenarios.change import Change
from forecasting.scenarios.scenario import read_changes

LISTED = 200


class ScenarioNotFound(LookupError):
    """The company has no such scenario, or has archived it."""


@dataclass(frozen=True, slots=True)
class StoredScenario:
    """A scenario with its newest version."""

    scenario_id: int
    name: str
    version: int
    changes: tuple[Change, ...]
    digest: str
    recorded_at: datetime
    actor: str


def scenarios_of(*, company_id: int) -> tuple[StoredScenario, ...]:
    """The company's scenarios that are not archived, by name; at most `LISTED`."""
    return tuple(_stored(row) for row in _rows(company_id).order_by("name", "id")[:LISTED])


def find_scenario(*, company_id: int, scenario_id: int) -> StoredScenario:
    """One of them.

    Raises:
        ScenarioNotFound: another company's answers the same.
    """
    row = _rows(company_id).filter(pk=scenario_id).first()
    if row is None:
        raise ScenarioNotFound(f"There is no scenario {scenario_id}.")
    return _stored(row)


def _rows(company_id: int) -> QuerySet[Scenario, Any]:
    mine = ScenarioVersion.objects.filter(company_id=OuterRef("company_id"), scenario_id=OuterRef("pk"))
    return Scenario.objects.filter(
        company_id=company_id,
        archived_at__isnull=True,
        versions__company_id=company_id,
        versions__version=Subquery(mine.order_by("-version").values("version")[:1]),
    ).values(
        "id",
        "name",
        "versions__version",
        "versions__changes",
        "versions__digest",
        "versions__recorded_at",
        "versions__actor",
    )


def _stored(row: dict[str, Any]) -> StoredScenario:
    return StoredScenario(
        scenario_id=row["id"],
        name=row["name"],
        version=row["versions__version"],
        changes=read_changes(row["versions__changes"]),
        digest=row["versions__digest"],
        recorded_at=row["versions__recorded_at"],
        actor=row["versions__actor"],
    )
