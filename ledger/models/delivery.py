"""What came to the addresses for webhooks, byte for byte, and what became of it."""

from django.db import models

from ledger.models.company import Company
from ledger.models.endpoint import WebhookEndpoint
from ledger.models.item_counts import ItemCounts, adds_up


class Verdict(models.TextChoices):
    VERIFIED = "verified", "Verified"
    REFUSED = "refused", "Refused"


class DeliveryState(models.TextChoices):
    """WAITING leads to DONE, IGNORED or QUARANTINED; a replay leads back. REFUSED stays."""

    WAITING = "waiting", "Waits for a worker"
    DONE = "done", "Recorded"
    IGNORED = "ignored", "Ignored on purpose"
    QUARANTINED = "quarantined", "Needs a look"
    REFUSED = "refused", "Refused"


class Delivery(ItemCounts):
    """One request that a provider made. The counts are those of everything that its readings found in it.

    Attributes:
        body: of a refused delivery only its beginning, and only the last of those are kept.
        size_bytes, sha256: of the whole body.
        headers: those that the provider declares safe, by lower-case name.
        reason: why it was refused, ignored or quarantined, or what a worker met last.
        attempts: how often a worker began on it since it came or was last replayed.
        due_at: a worker takes it up no sooner.
        claimed_at: when a worker took it up; null when none is at work on it.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    received_at = models.DateTimeField()
    body = models.BinaryField()
    size_bytes = models.IntegerField()
    sha256 = models.BinaryField(max_length=32)
    headers = models.JSONField(default=dict)
    verdict = models.CharField(max_length=8, choices=Verdict)
    state = models.CharField(max_length=11, choices=DeliveryState)
    reason = models.TextField(blank=True)
    attempts = models.IntegerField(default=0)
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-received_at"]
        indexes = [
            models.Index(fields=["company", "-received_at"], name="delivery_by_company"),
            models.Index(fields=["company", "endpoint", "state", "-received_at"], name="delivery_by_endpoint"),
            # The sweeper looks across companies; the index holds only what waits.
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="delivery_waiting"),
        ]
        constraints = [
            adds_up("delivery_items_add_up"),
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="delivery_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(verdict="refused", state="refused")
                | (models.Q(verdict="verified") & ~models.Q(state="refused")),
                name="delivery_state_fits_verdict",
            ),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class ObjectStatement(models.Model):
    """When a provider last spoke about an object: what it said earlier, coming late, does not undo that."""

    pk = models.CompositePrimaryKey("company_id", "source", "external_ref")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    source = models.CharField(max_length=64)
    external_ref = models.CharField(max_length=255)
    said_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.external_ref
