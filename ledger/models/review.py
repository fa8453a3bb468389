"""What waits for a person to look at."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ledger.models.account import Account
from ledger.models.company import Company


class ReviewKind(models.TextChoices):
    TWINS = "twins", "Suspected twins"
    PAIR = "pair", "Suggested match"
    BATCH = "batch", "Suggested batch"
    LEG = "leg", "Unmatched transfer"
    BREAK = "break", "Broken balance"


class ReviewState(models.TextChoices):
    """OPEN waits; CLOSED was settled by what came later (the other leg arrived, the event was reversed)."""

    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    DISMISSED = "dismissed", "Dismissed"
    EXPLAINED = "explained", "Explained"
    CLOSED = "closed", "Settled by itself"


class ReviewItem(models.Model):
    """One question about a company's books, and what was decided. Asked once: `subject` is its key.

    Attributes:
        subject: what it is about, such as the positions of two twins; with the kind it is unique. The part of
            a split event is written as position.part.
        positions: of the events it is about, in the order they were recorded.
        day: of the later event, or of the statement, in the company's calendar.
        amount, currency: what is at stake.
        decided_at, actor, reason: of the last decision; empty while open.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="review_items", db_index=False)
    kind = models.CharField(max_length=8, choices=ReviewKind)
    subject = models.CharField(max_length=255)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    positions = ArrayField(models.BigIntegerField(), default=list)
    day = models.DateField()
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=9, choices=ReviewState, default=ReviewState.OPEN)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    actor = models.CharField(max_length=255, blank=True, default="")
    reason = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        ordering = ["-day", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["company", "kind", "subject"], name="a_question_is_asked_once"),
            models.CheckConstraint(condition=models.Q(kind__in=ReviewKind.values), name="review_kind_is_known"),
            models.CheckConstraint(condition=models.Q(state__in=ReviewState.values), name="review_state_is_known"),
            models.CheckConstraint(
                condition=~models.Q(state=ReviewState.EXPLAINED) | ~models.Q(reason=""),
                name="an_explanation_says_something",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "state", "-day", "-id"], name="review_item_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.day}"
