"""What processes count about forecasts for Prometheus."""

from prometheus_client import Counter, Histogram

FORECAST_SECONDS = Histogram(
    "forecast_duration_seconds",
    "Time to compute and store one company's forecasts on both bases, from claim to commit.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0),
)
EXPLANATION_SECONDS = Histogram(
    "forecast_explanation_duration_seconds",
    "Time to explain and store one forecast run.",
    buckets=(0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0),
)
EXPLANATIONS = Counter(
    "forecast_explanations_total",
    "Attempts to explain a company's forecasts, by how they ended.",
    ("result",),  # explained | nothing | postponed | failed
)
FORECASTS = Counter(
    "forecasts_total",
    "Attempts to bring a company's forecast up to date, by how they ended.",
    ("result",),  # published | unchanged | refused | busy | paced | failed
)
RECORD_TURNS = Counter(
    "forecast_record_turns_total",
    "Turns of work on track records, by how they ended.",
    ("result",),  # done | unfinished | postponed | refused
)
WAKES = Counter(
    "forecast_wakes_total",
    "Wake-ups of the forecast queue, by what became of them.",
    ("result",),  # enqueued | coalesced | skipped | failed
)
CACHE_REQUESTS = Counter(
    "forecast_cache_requests_total",
    "Questions to the forecast cache, by how they ended.",
    ("result",),  # rendered (in this process) | hit | miss | early_refresh | error | skipped
)
