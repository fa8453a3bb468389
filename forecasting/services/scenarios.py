"""Keeping what-ifs: a name, and versions that are only ever added."""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from forecasting.models.scenario import Scenario, ScenarioVersion
from forecasting.scenarios.change import Change, InvalidScenario
from forecasting.scenarios.scenario import digest
from forecasting.selectors.scenarios import ScenarioNotFound, StoredScenario, find_scenario
from ledger.domain.problems import FieldProblem

NAME_LIMIT = 80
MOST_SCENARIOS = 200


class NameTaken(ValueError):
    """Another scenario of the company has this name."""


def keep_scenario(
    *, company_id: int, name: str, changes: Sequence[Change], actor: str, now: datetime
) -> StoredScenario:
    """Keep changes under a new name.

    Raises:
        InvalidScenario: no name, or one that cannot be kept; or too many are kept already.
        NameTaken: by a scenario that is not archived.
    """
    named = _named(name)
    if Scenario.objects.filter(company_id=company_id, archived_at__isnull=True).count() >= MOST_SCENARIOS:
        message = f"{MOST_SCENARIOS} scenarios are kept already: archive some first"
        raise InvalidScenario((FieldProblem("name", message),))
    try:
        with transaction.atomic():
            scenario = Scenario.objects.create(company_id=company_id, name=named, created_at=now, created_by=actor)
            _append(scenario, version=1, changes=changes, actor=actor, now=now)
    except IntegrityError as error:
        raise _taken(error, named) from error
    return find_scenario(company_id=company_id, scenario_id=scenario.pk)


def revise_scenario(
    *, company_id: int, scenario_id: int, name: str, changes: Sequence[Change], actor: str, now: datetime
) -> StoredScenario:
    """Give a scenario this name and make these its changes, as a new version unless they are the same.

    Raises:
        InvalidScenario, NameTaken: as above.
        ScenarioNotFound: the company has none of this number, or has archived it.
    """
    named = _named(name)
    try:
        with transaction.atomic():
            scenario = _locked(company_id=company_id, scenario_id=scenario_id)
            if scenario.name != named:
                scenario.name = named
                scenario.save(update_fields=["name"])
            before = find_scenario(company_id=company_id, scenario_id=scenario_id)
            if before.digest != digest(changes):
                _append(scenario, version=before.version + 1, changes=changes, actor=actor, now=now)
    except IntegrityError as error:
        raise _taken(error, named) from error
    return find_scenario(company_id=company_id, scenario_id=scenario_id)


def archive_scenario(*, company_id: int, scenario_id: int, actor: str, now: datetime) -> None:
    """Put a scenario out of sight; its name is free again, its versions stay.

    Raises:
        ScenarioNotFound: there is none, or it is archived already.
    """
    with transaction.atomic():
        scenario = _locked(company_id=company_id, scenario_id=scenario_id)
        scenario.archived_at, scenario.archived_by = now, actor
        scenario.save(update_fields=["archived_at", "archived_by"])


def _locked(*, company_id: int, scenario_id: int) -> Scenario:
    scenario = (
        Scenario.objects.select_for_update(no_key=True)
        .filter(company_id=company_id, pk=scenario_id, archived_at__isnull=True)
        .first()
    )
    if scenario is None:
        raise ScenarioNotFound(f"There is no scenario {scenario_id}.")
    return scenario


def _append(scenario: Scenario, *, version: int, changes: Sequence[Change], actor: str, now: datetime) -> None:
    ScenarioVersion.objects.create(
        company_id=scenario.company_id,
        scenario=scenario,
        version=version,
        changes=[each.to_json() for each in changes],
        digest=digest(changes),
        recorded_at=now,
        actor=actor,
    )


def _named(name: str) -> str:
    """The name without space around it."""
    named = " ".join(name.split())
    if not named or len(named) > NAME_LIMIT or not named.isprintable():
        message = f"must be text of 1 to {NAME_LIMIT} characters"
        raise InvalidScenario((FieldProblem("name", message),))
    return named


def _taken(error: IntegrityError, name: str) -> Exception:
    if "scenario_name_is_unique_in_company" in str(error):
        return NameTaken(f"{name!r} is the name of another scenario")
    return error
