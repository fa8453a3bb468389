"""What Prometheus reads about the cloud policy."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class AppliedCollector(Collector):
    """`cloud_optimization_applied_total{company}`, read from the database at each scrape.

    Plans are applied by one worker and scraped from many web processes; the database has the one true count.
    """

    def describe(self) -> Iterator[Metric]:
        """Names without values, so that registering the collector asks no database."""
        yield self._family()

    def collect(self) -> Iterator[Metric]:
        from cloudpolicy.selectors.plans import plans_applied_by_company  # models load after this module

        family = self._family()
        for slug, applied in plans_applied_by_company():
            family.add_metric([slug], applied)
        yield family

    def _family(self) -> CounterMetricFamily:
        return CounterMetricFamily(
            "cloud_optimization_applied_total", "Scaling plans that were applied.", labels=["company"]
        )
