"""Where events come from."""

from django.db import models

from ledger.models.company import Company


class Source(models.Model):
    """A name that events came under; its first event creates it."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=64)
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "name"], name="source_name_is_unique_in_company"),
        ]

    def __str__(self) -> str:
        return self.name
