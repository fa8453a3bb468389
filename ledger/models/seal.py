"""The chain of hashes over the journal, in blocks."""

from django.db import models

from ledger.models.company import Company


class Seal(models.Model):
    """A block of rows under the chain, appended by `ledger.services.sealing` and never changed.

    Attributes:
        first_position, last_position: both included; the blocks of a company follow each other without a gap.
        digests: 32 bytes per row, in the order of positions, so that a broken row can be named.
        head: the chain's head after the last row.
    """

    pk = models.CompositePrimaryKey("company_id", "first_position")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    first_position = models.BigIntegerField()
    last_position = models.BigIntegerField()
    digests = models.BinaryField()
    head = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.first_position} to {self.last_position}"
