"""Addresses that providers send webhooks to."""

from django.db import models

from ledger.models.company import Company


class WebhookEndpoint(models.Model):
    """An address of one company for one provider.

    Attributes:
        endpoint_id: the unguessable part of the address, 43 characters of `A-Z a-z 0-9 - _`.
        accounts: {role: name of the account}, as far as they differ from the provider's defaults.
        settings: of the provider, readable by admins.
        credentials: JSON object of keys for the provider's API, sealed (`ledger.services.sealed_secrets`).
        cursor: what the provider's last fetch left behind.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="endpoints", db_index=False)
    provider = models.CharField(max_length=32)
    endpoint_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100)
    accounts = models.JSONField(default=dict, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    credentials = models.BinaryField(default=b"")
    cursor = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    actor = models.CharField(max_length=255)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "provider", "name"], name="endpoint_name_is_unique_in_company"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class EndpointSecret(models.Model):
    """A secret with which deliveries to an endpoint are signed, sealed. Two are active during a rotation."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets", db_index=False)
    sealed = models.BinaryField()
    added_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["company", "endpoint", "-added_at"], name="secret_by_endpoint")]

    def __str__(self) -> str:
        return f"secret of {self.added_at}"
