"""What-ifs that people keep."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from ledger.models.company import Company


class Scenario(models.Model):
    """A named what-if of one company. Its content lies in versions; archived, it is out of sight and keeps them.

    Attributes:
        name: unique among the company's scenarios that are not archived, whatever its case.
        created_by, archived_by: who did it, as in the journal (`page:…`, `token:…`).
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="scenarios")
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=255)
    archived_at = models.DateTimeField(null=True)
    archived_by = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "company",
                Lower("name"),
                condition=Q(archived_at__isnull=True),
                name="scenario_name_is_unique_in_company",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="scenario_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class ScenarioVersion(models.Model):
    """What a scenario changes. Versions are only ever added; triggers refuse UPDATE, DELETE and TRUNCATE.

    Attributes:
        version: 1, 2, 3 … per scenario; the highest counts.
        changes: a list of `forecasting.scenarios.change.Change.to_json`.
        digest: `forecasting.scenarios.scenario.digest` of them, 64 hexadecimal digits.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="versions", db_index=False)
    version = models.PositiveIntegerField()
    changes = models.JSONField()
    digest = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "scenario", "version"], name="scenario_version_is_unique_in_scenario"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="scenario_version_starts_at_one"),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="scenario_version_digest_is_sha256"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.version}"
