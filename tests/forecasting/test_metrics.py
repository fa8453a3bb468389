"""What Prometheus is told about runways."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from forecasting.models.run import ForecastRun
from forecasting.runway_collector import RunwayCollector
from forecasting.services.publish import publish_forecast
from tests.forecasting.small_company import NOW, small_company


@pytest.mark.django_db
@pytest.mark.usefixtures("own_redis")
def test_p5_of_every_company_is_read_from_the_database_at_each_scrape() -> None:
    registry = CollectorRegistry()
    registry.register(RunwayCollector())
    assert 'runway_p5_days{company="acme"' not in generate_latest(registry).decode()
    company = small_company()
    publish_forecast(company_id=company.id, now=NOW)
    p5_days = ForecastRun.objects.get(basis="free").p5_days
    text = generate_latest(registry).decode()
    assert f'runway_p5_days{{basis="free",company="acme"}} {float(p5_days)}' in text
    assert 'runway_p5_days{basis="bank",company="acme"}' in text
    assert "runway_computed_timestamp_seconds" in text


def test_registering_the_collector_asks_no_database() -> None:
    CollectorRegistry(auto_describe=True).register(RunwayCollector())
