"""Where money lies or is owed."""

from django.db import models

from ledger.models.company import Company


class AccountKind(models.TextChoices):
    BANK = "bank", "Bank"
    CARD = "card", "Card"
    PROCESSOR = "processor", "Payment processor"
    CLOUD = "cloud", "Cloud"


CASH_KINDS = (AccountKind.BANK, AccountKind.CARD, AccountKind.PROCESSOR)


class Account(models.Model):
    """An account of a company. Only events on cash accounts (bank, card, processor) move cash."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="accounts")
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=AccountKind)
    currency = models.CharField(max_length=3)
    timezone = models.CharField(max_length=64, help_text="IANA name; a date without a time is noon here.")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "name"], name="account_name_is_unique_in_company"),
            models.CheckConstraint(condition=models.Q(kind__in=AccountKind.values), name="account_kind_is_known"),
        ]

    def __str__(self) -> str:
        return self.name
