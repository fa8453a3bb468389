"""Adjustments above a company's limit: stated by one person, recorded when a second one agrees."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.models.account import Account
from ledger.models.company import Company
from ledger.models.event import Direction


class PendingState(models.TextChoices):
    WAITING = "waiting", "Waits for a second person"
    APPROVED = "approved", "Approved and recorded"
    REJECTED = "rejected", "Rejected"


class PendingAdjustment(models.Model):
    """What an adjustment will say once it is approved, who asked for it and who decided.

    Attributes:
        base_amount: in the company's base currency when it was asked for; what was held against the limit.
        event_id: of the recorded event; null unless approved.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="pending_adjustments")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=3, choices=Direction)
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3)
    base_amount = models.DecimalField(max_digits=20, decimal_places=6)
    occurred_at = models.DateTimeField()
    category = models.CharField(max_length=255, blank=True)
    counterparty = models.CharField(max_length=255, blank=True)
    reason = models.CharField(max_length=255)
    into_closed_month = models.BooleanField(default=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=PendingState, default=PendingState.WAITING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=255, blank=True)
    event_id = models.BinaryField(max_length=32, null=True)

    class Meta:
        ordering = ["-requested_at"]
        indexes = [models.Index(fields=["company", "state", "-requested_at"], name="pending_adjustment_by_state")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=PendingState.values), name="pending_state_is_known"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="nobody_approves_their_own_adjustment",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="waiting", decided_by__isnull=True, decided_at__isnull=True, event_id__isnull=True
                )
                | Q(state="approved", decided_by__isnull=False, decided_at__isnull=False, event_id__isnull=False)
                | Q(state="rejected", decided_by__isnull=False, decided_at__isnull=False, event_id__isnull=True),
                name="a_decision_has_a_person_and_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.amount} {self.currency}"
