"""The text that Prometheus reads: counters of every process, and what the database knows at this moment."""

import logging
import os
from collections.abc import Iterable, Iterator

from django.db import DatabaseError
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from cloudpolicy.metrics import AppliedCollector, SavingsCollector
from forecasting.runway_collector import RunwayCollector

logger = logging.getLogger(__name__)


def exposition() -> bytes:
    """Return the metrics of the whole installation.

    With PROMETHEUS_MULTIPROC_DIR every process keeps its counters in files there, and they are added up; without,
    they are this process's own. Figures with one true value are read from the database instead, so that no two
    processes can disagree.
    """
    return generate_latest(_process_registry()) + generate_latest(_database_registry())


def _process_registry() -> CollectorRegistry:
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


def _database_registry() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Patient(RunwayCollector()))
    registry.register(_Patient(AppliedCollector()))
    registry.register(_Patient(SavingsCollector()))
    return registry


class _Patient(Collector):
    """Leaves its figures out while the database is away: the counters of the processes are wanted most then."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterator[Metric]:
        try:
            metrics: Iterable[Metric] = list(self._collector.collect())
        except DatabaseError as error:
            logger.warning("metrics_without_database", extra={"error": type(error).__name__})
            return
        yield from metrics
