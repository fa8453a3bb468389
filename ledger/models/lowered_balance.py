"""What providers said about customers' balances that became less."""

from django.db import models

from ledger.models.company import Company


class LoweredBalance(models.Model):
    """What a customer had in credit before and after an instant, as the provider counts it. Said once, it stands.

    Mostly an invoice that used it says so too; what no invoice explains was taken away by hand.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    source = models.CharField(max_length=64)
    customer = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()
    before = models.DecimalField(max_digits=20, decimal_places=6)
    after = models.DecimalField(max_digits=20, decimal_places=6)
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "source", "customer", "currency", "at", "before", "after"],
                name="one_lowered_balance_per_instant_and_amounts",
            ),
            models.CheckConstraint(
                condition=models.Q(after__gte=0)
                & models.Q(after__lt=models.F("before"))
                & models.Q(before__lt=10**14),
                name="lowered_balance_is_less_than_before",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.after} {self.currency} after {self.before}"
