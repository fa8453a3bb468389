"""What Prometheus reads about forecasts."""

from collections.abc import Iterator

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

FORECAST_SECONDS = Histogram(
    "forecast_duration_seconds",
    "Time to compute and store one company's forecasts on both bases, from claim to commit.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0),
)
FORECASTS = Counter(
    "forecasts_total",
    "Attempts to bring a company's forecast up to date, by how they ended.",
    ("result",),  # published | unchanged | refused | busy | paced | failed
)
WAKES = Counter(
    "forecast_wakes_total",
    "Wake-ups of the forecast queue, by what became of them.",
    ("result",),  # enqueued | coalesced | skipped | failed
)
CACHE_REQUESTS = Counter(
    "forecast_cache_requests_total",
    "Questions to the forecast cache, by how they ended.",
    ("result",),  # hit | miss | early_refresh | error | skipped
)


class RunwayCollector(Collector):
    """`runway_p5_days{company, basis}` and its age, read from the database at each scrape.

    A gauge in a process's memory would be wrong: many web processes answer scrapes, one worker knows the number.
    """

    def describe(self) -> Iterator[Metric]:
        """Names without values, so that registering the collector asks no database."""
        return iter(self._families())

    def collect(self) -> Iterator[Metric]:
        from forecasting.selectors.forecasts import runways_in_force  # models load after this module

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
