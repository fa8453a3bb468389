"""Months whose books are closed, who closed and opened them, and what was recorded into them all the same."""

from django.db import models

from ledger.models.company import Company


class MonthClosing(models.Model):
    """A month was closed or opened again. Rows are only added; the last one about a month counts.

    Attributes:
        month: its first day; months are those of the company's time zone.
        position: the journal's last one at that moment, set by the database; later ones are bound by this row.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="month_closings")
    month = models.DateField()
    closed = models.BooleanField()
    reason = models.CharField(max_length=255)
    actor = models.CharField(max_length=255)
    recorded_at = models.DateTimeField()
    position = models.BigIntegerField(db_default=0, editable=False)

    class Meta:
        verbose_name = "closed month"
        indexes = [models.Index(fields=["company", "month", "-id"], name="month_closing_by_month")]
        constraints = [
            models.CheckConstraint(condition=models.Q(month__day=1), name="closed_month_begins_on_the_first"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="closing_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {'closed' if self.closed else 'open again'}"


class ClosedMonthEntry(models.Model):
    """The permission of one event to stand in a closed month, written in the transaction that records it.

    The database refuses an event in a closed month that has none.
    """

    pk = models.CompositePrimaryKey("company_id", "event_id")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_id = models.BinaryField(max_length=32)
    month = models.DateField()
    reason = models.CharField(max_length=255)
    actor = models.CharField(max_length=255)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="closed_month_entry_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{bytes(self.event_id).hex()} in {self.month:%Y-%m}"
