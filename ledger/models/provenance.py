"""By what the events of the journal came."""

from django.db import models
from django.db.models import Q

from ledger.models.company import Company
from ledger.models.delivery import Delivery
from ledger.models.import_file import ImportFile
from ledger.models.plaid import PlaidWalk


class Provenance(models.Model):
    """By what the events of one transaction came: they have consecutive positions, because it holds the head row.

    Append-only, and always about the last events of the journal (migration 0018). Events of API clients have none:
    their actor is the token.

    Attributes:
        first_position, last_position: both included.
        delivery, walk, import_file: one of them is set.
    """

    pk = models.CompositePrimaryKey("company_id", "first_position")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    first_position = models.BigIntegerField()
    last_position = models.BigIntegerField()
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    walk = models.ForeignKey(PlaidWalk, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    import_file = models.ForeignKey(
        ImportFile, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta:
        indexes = [
            # The way back. They begin with the reference, because the database looks for it when a delivery goes.
            models.Index(
                fields=["delivery", "first_position"],
                condition=Q(delivery__isnull=False),
                name="provenance_by_delivery",
            ),
            models.Index(
                fields=["walk", "first_position"], condition=Q(walk__isnull=False), name="provenance_by_walk"
            ),
            models.Index(
                fields=["import_file", "first_position"],
                condition=Q(import_file__isnull=False),
                name="provenance_by_import_file",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(first_position__gt=0, last_position__gte=models.F("first_position")),
                name="provenance_has_events",
            ),
            models.CheckConstraint(
                condition=Q(delivery__isnull=False, walk=None, import_file=None)
                | Q(delivery=None, walk__isnull=False, import_file=None)
                | Q(delivery=None, walk=None, import_file__isnull=False),
                name="provenance_names_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_position} to {self.last_position}"
