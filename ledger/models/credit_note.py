"""What was credited to customers on invoices that they had paid."""

from django.db import models

from ledger.models.company import Company


class CreditNote(models.Model):
    """A credit note as its provider said it. Said again with other content, it is a new revision; the last counts.

    Attributes:
        external_ref: the provider's id of the note.
        document: the invoice; `ServicePeriod.document` of the periods that it lowers.
        day: from which it counts.
        issued_on: the day on which a balance got its part; empty where it was not kept, then the same day.
        lines: [[line of a service period or "", amount before tax as text]]; none takes the note back.
        refunds: [[external reference of a refund that carries it out, amount as text]].
        to_balance: what became a credit of the customer, to be used on a later invoice.
        out_of_band: what was paid back outside of the provider.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="credit_notes", db_index=False)
    source = models.CharField(max_length=64)
    external_ref = models.CharField(max_length=255)
    document = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    day = models.DateField()
    issued_on = models.DateField(null=True)
    lines = models.JSONField(default=list)
    refunds = models.JSONField(default=list)
    to_balance = models.DecimalField(max_digits=20, decimal_places=6)
    out_of_band = models.DecimalField(max_digits=20, decimal_places=6)
    revision = models.IntegerField()
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "source", "external_ref", "revision"],
                name="one_credit_note_per_reference_and_revision",
            ),
            models.CheckConstraint(
                condition=models.Q(to_balance__gte=0)
                & models.Q(to_balance__lt=10**14)
                & models.Q(out_of_band__gte=0)
                & models.Q(out_of_band__lt=10**14),
                name="credit_note_amounts_are_finite",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.external_ref} on {self.document}"
