"""The first what-if of a process finds its shocks drawn."""

import pytest
from django.db import OperationalError

from forecasting.services import warm_up as service
from forecasting.services import what_if
from forecasting.services.publish import publish_forecast
from forecasting.services.warm_up import warm_up
from tests.forecasting.small_company import NOW, small_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(what_if, "_fits", what_if.Kept(what_if.FITS_KEPT))
    monkeypatch.setattr(what_if, "_cases", what_if.Kept(what_if.CASES_KEPT))


def test_the_base_of_a_company_that_was_forecast_is_simulated_before_anybody_asks(monkeypatch):
    company, never_forecast = small_company(), small_company("globex")
    publish_forecast(company_id=company.id, now=NOW)
    assert warm_up(now=NOW) == 1

    def never(*_: object, **__: object) -> None:
        raise AssertionError("simulated again")

    monkeypatch.setattr(what_if, "case", never)
    what_if.known_now(company=company, basis="free", now=NOW).case(())
    with pytest.raises(AssertionError, match="simulated again"):
        what_if.known_now(company=never_forecast, basis="free", now=NOW).case(())


def test_few_companies_are_enough(monkeypatch):
    monkeypatch.setattr(service, "COMPANIES", 1)
    for slug in ("acme", "globex"):
        publish_forecast(company_id=small_company(slug).id, now=NOW)
    assert warm_up(now=NOW) == 1


def test_without_a_forecast_nothing_is_drawn(monkeypatch):
    small_company()
    monkeypatch.setattr("forecasting.services.what_if.shocks_for", lambda **_: pytest.fail("drawn"))
    assert warm_up(now=NOW) == 0


def test_a_database_that_is_away_is_logged(monkeypatch, caplog):
    publish_forecast(company_id=small_company().id, now=NOW)

    def away(**_: object) -> None:
        raise OperationalError("the server is gone")

    monkeypatch.setattr(service, "known_now", away)
    assert warm_up(now=NOW) == 0
    assert "the server is gone" in caplog.text
