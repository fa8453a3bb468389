"""What is stored in one statement is what saving models one by one would store."""

import json
from typing import Any

import pytest

from forecasting.models.cursor import ForecastCursor
from forecasting.models.run import ForecastRun
from forecasting.selectors.forecasts import cached_content
from forecasting.services import publish
from forecasting.services.lease import LeaseLost, claim_lease
from forecasting.services.publish import publish_forecast
from forecasting.services.store import RunsInForce, RunTexts, store_runs
from tests.forecasting.small_company import NOW, small_company

pytestmark = pytest.mark.django_db


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> tuple[ForecastRun, ForecastRun]:
    """Both runs of a company as they were handed over, none of them stored and the lease held by `me`."""
    made: list[Any] = []
    real = publish._compute

    class Enough(Exception):
        pass

    def stop(**arguments: Any) -> None:
        made.extend(real(**arguments))
        raise Enough

    company = small_company()
    monkeypatch.setattr(publish, "_compute", stop)
    with pytest.raises(Enough):
        publish_forecast(company_id=company.id, now=NOW)
    claim_lease(company_id=company.id, owner="me")
    free, bank = made
    return free, bank


def store(runs: tuple[ForecastRun, ForecastRun], *, owner: str = "me") -> RunsInForce:
    free, bank = runs
    texts = (RunTexts.of(free), RunTexts.of(bank))
    return store_runs(free=free, bank=bank, texts=texts, owner=owner, plan_version=1, now=NOW)


def columns(run: ForecastRun) -> dict[str, Any]:
    return {field.name: getattr(run, field.attname) for field in ForecastRun._meta.fields if field.name != "id"}


def test_every_column_is_what_the_model_would_save(computed: tuple[ForecastRun, ForecastRun]) -> None:
    in_force = store(computed)
    for run, number in zip(computed, (in_force.free, in_force.bank), strict=True):
        assert columns(ForecastRun.objects.get(pk=number)) == columns(run)
    cursor = ForecastCursor.objects.get()
    assert (cursor.free_run_id, cursor.bank_run_id) == (in_force.free, in_force.bank)
    assert (cursor.position, cursor.plan_version, cursor.checked_at) == (computed[0].position, 1, NOW)
    assert (cursor.lease_owner, cursor.lease_until, cursor.refusal) == ("", None, "")


def test_what_the_cache_is_given_is_what_it_would_read(computed: tuple[ForecastRun, ForecastRun]) -> None:
    stored = ForecastRun.objects.get(pk=store(computed).bank)
    assert json.loads(RunTexts.of(computed[1]).cached) == cached_content(stored)


@pytest.mark.parametrize("there", [0, 1])
def test_a_run_of_the_same_inputs_is_used_and_the_other_stored(
    computed: tuple[ForecastRun, ForecastRun], there: int
) -> None:
    computed[there].save(force_insert=True)
    before = computed[there].pk
    computed[there].pk = None
    in_force = store(computed)
    assert (in_force.free, in_force.bank)[there] == before
    assert sorted(ForecastRun.objects.values_list("basis", flat=True)) == ["bank", "free"]
    assert ForecastCursor.objects.get().free_run_id == in_force.free


def test_without_the_lease_nothing_is_stored(computed: tuple[ForecastRun, ForecastRun]) -> None:
    with pytest.raises(LeaseLost):
        store(computed, owner="somebody else")
    assert not ForecastRun.objects.exists()
    assert ForecastCursor.objects.get().lease_owner == "me"
