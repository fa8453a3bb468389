"""What the ledger counts for Prometheus."""

from prometheus_client import Counter

EVENTS_INGESTED = Counter(
    "capital_events_ingested_total",
    "Events handed to the journal, by what became of them.",
    ["status"],
)
WAKE_UPS_LOST = Counter(
    "ledger_wake_ups_lost_total",
    "Receivers of journal_advanced that failed; the sweeper makes up for them.",
)
WRITE_RETRIES = Counter(
    "ledger_write_retries_total",
    "Writes to the journal that were tried again, by cause.",
    ["cause"],
)
DELIVERIES = Counter(
    "ledger_deliveries_total",
    "Webhook deliveries, as they came (received, refused) and by what became of them.",
    ["provider", "state"],
)
