"""What somebody outside says we have: balances and credit grants, dated by day."""

from django.db import models

from ledger.models.account import Account
from ledger.models.company import Company


class BalanceStatement(models.Model):
    """Cash on a day, for one account or (without one) for all cash accounts of a currency together.

    A statement said again with another amount is a new revision; the last one counts and the others stay.

    Attributes:
        day: in the company's calendar.
        as_of: the instant of the day that it was asked at; None: the balance is that of the day's end.
        origin: who says so, e.g. `plan`, `camt053`.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="balance_statements")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, blank=True, related_name="statements"
    )
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    day = models.DateField()
    as_of = models.DateTimeField(null=True, blank=True)
    origin = models.CharField(max_length=64)
    revision = models.IntegerField()
    actor = models.CharField(max_length=255)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "currency", "day", "account", "origin", "revision"],
                nulls_distinct=False,
                name="one_balance_per_day_and_origin",
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=-(10**14)) & models.Q(amount__lt=10**14),
                name="balance_is_a_finite_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} at the end of {self.day}"


class CreditGrantStatement(models.Model):
    """What is left of a vendor's credit grant at the end of a day, and the last day it can be used.

    A grant is told apart by its expiry. Said again with another rest, it is a new revision; the last one counts.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="credit_grant_statements")
    provider = models.CharField(max_length=64)
    remaining = models.DecimalField(max_digits=20, decimal_places=6)
    expires_on = models.DateField()
    day = models.DateField()
    origin = models.CharField(max_length=64)
    revision = models.IntegerField()
    actor = models.CharField(max_length=255)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "provider", "day", "origin", "expires_on", "revision"],
                name="one_grant_per_day_and_origin",
            ),
            models.CheckConstraint(
                condition=models.Q(remaining__gte=0) & models.Q(remaining__lt=10**14),
                name="grant_is_a_finite_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.provider} until {self.expires_on}"
