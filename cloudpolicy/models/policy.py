"""The versions of a company's policy."""

from django.db import models

from ledger.models.company import Company


class PolicyVersion(models.Model):
    """One version of a policy document; the highest version is in force. A version never changes.

    Attributes:
        document: as `cloudpolicy.engine.document` reads it.
        digest: SHA-256 over the document's canonical JSON.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="policy_versions")
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=128)
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    actor = models.CharField(max_length=255)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "version"], name="policy_version_is_unique_in_company"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="policy_versions_count_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"
