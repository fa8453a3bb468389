"""API tokens: 256 bits, shown once, stored as a hash."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ledger.models.company import Company


class Scope(models.TextChoices):
    INGEST = "ingest", "Record events"
    READ = "read", "Read ledger and forecasts"
    POLICY = "policy", "Plan, approve and apply cloud scaling"


class ApiToken(models.Model):
    """A machine's key to one company. The token itself is not stored, only its SHA-256."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    token_sha256 = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope))
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
