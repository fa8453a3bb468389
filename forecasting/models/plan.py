"""What people know about the future of a company, version by version."""

from django.db import models

from ledger.models.company import Company


class Plan(models.Model):
    """One version of a company's plan. Versions are only ever added; triggers refuse UPDATE, DELETE and TRUNCATE.

    A forecast run names the version it was computed from, so that it can be repeated years later.

    Attributes:
        version: 1, 2, 3 … per company; the highest is in force.
        document: the plan as it was given (`plan.json`); numbers keep their text in jsonb.
        digest: SHA-256 of the canonical document, 64 hexadecimal digits.
        as_of: the day at whose end the plan's balances stand.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="plans")
    version = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    as_of = models.DateField()
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "version"], name="plan_version_is_unique_in_company"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="plan_version_starts_at_one"),
            models.CheckConstraint(
                condition=models.Q(digest__regex=r"^[0-9a-f]{64}$"), name="plan_digest_is_sha256"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.version} as of {self.as_of}"
