"""The versions of a company's policy."""

from django.db import models

from ledger.models.company import Company


class PolicyVersion(models.Model):
    """One version of a policy document; the highest version is in force.

    Versions are only ever added; triggers refuse UPDATE, DELETE and TRUNCATE.

    Attributes:
        because: why it was put in force, in the words of whoever did.
        document: as `cloudpolicy.engine.document` reads it.
        digest: SHA-256 over the document's canonical JSON.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="policy_versions")
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=128)
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    actor = models.CharField(max_length=255)
    because = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "version"], name="policy_version_is_unique_in_company"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="policy_versions_count_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class PolicyDraft(models.Model):
    """A policy in the making: its YAML as somebody left it, right or wrong. It goes when it is put in force.

    Attributes:
        text: YAML, not necessarily a policy yet.
        based_on: the version in force when it was begun.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="policy_drafts")
    name = models.CharField(max_length=80)
    text = models.TextField()
    based_on = models.PositiveIntegerField()
    actor = models.CharField(max_length=255)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "name"], name="policy_draft_name_is_unique_in_company"),
        ]

    def __str__(self) -> str:
        return self.name
