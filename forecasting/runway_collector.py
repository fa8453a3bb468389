"""What Prometheus reads about runways: the truth in the database, not one process's memory of it."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forecasting.selectors.forecasts import runways_in_force


class RunwayCollector(Collector):
    """`runway_p5_days{company, basis}` and its age, read from the database at each scrape.

    A gauge in a process's memory would be wrong: many web processes answer scrapes, one worker knows the number.
    """

    def describe(self) -> Iterator[Metric]:
        """Names without values, so that registering the collector asks no database."""
        return iter(self._families())

    def collect(self) -> Iterator[Metric]:
        p5_days, age_seconds = self._families()
        for runway in runways_in_force():
            p5_days.add_metric([runway.company_slug, runway.basis], runway.p5_days)
            age_seconds.add_metric([runway.company_slug, runway.basis], runway.computed_at.timestamp())
        yield p5_days
        yield age_seconds

    def _families(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
        labels = ["company", "basis"]
        return (
            GaugeMetricFamily("runway_p5_days", "Days of runway that 95 % of the paths reach.", labels=labels),
            GaugeMetricFamily(
                "runway_computed_timestamp_seconds", "When the forecast in force was computed.", labels=labels
            ),
        )
