"""What Prometheus reads about the cloud policy."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
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


class SavingsCollector(Collector):
    """`cloud_cost_saved_ratio{company}`, `cloud_cost_30_days{company, currency}` and `cloud_cost_saved_30_days`.

    They are what the sweep last computed; a company without bills is left out. `cloud_bands_flagged{company}` is
    of companies with scores.
    """

    def describe(self) -> Iterator[Metric]:
        """Names without values, so that registering the collector asks no database."""
        yield from self._families()

    def collect(self) -> Iterator[Metric]:
        # Models load after this module.
        from cloudpolicy.selectors.savings import cost_shares_by_company, flagged_bands_by_company

        ratio, cost, saved, flagged = self._families()
        for slug, figure in cost_shares_by_company():
            if figure.share is None or figure.cost is None or figure.saved is None:
                continue
            ratio.add_metric([slug], figure.share)
            cost.add_metric([slug, figure.currency], float(figure.cost))
            saved.add_metric([slug, figure.currency], float(figure.saved))
        for slug, bands in flagged_bands_by_company():
            flagged.add_metric([slug], bands)
        yield from (ratio, cost, saved, flagged)

    def _families(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
        return (
            GaugeMetricFamily(
                "cloud_cost_saved_ratio",
                "Share of the cloud's cost of 30 days that bills say was saved, 0 to 1; below zero where it grew.",
                labels=["company"],
            ),
            GaugeMetricFamily(
                "cloud_cost_30_days",
                "What bills of 30 days ask for, before credits.",
                labels=["company", "currency"],
            ),
            GaugeMetricFamily(
                "cloud_cost_saved_30_days",
                "What was saved in those days, as scores of runs say.",
                labels=["company", "currency"],
            ),
            GaugeMetricFamily(
                "cloud_bands_flagged",
                "Bands of the policy whose plans saved less than half of what they were said to.",
                labels=["company"],
            ),
        )
