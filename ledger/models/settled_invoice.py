"""By what invoices are settled, and so what customers have paid beforehand."""

from django.db import models

from ledger.models.company import Company


class SettledInvoice(models.Model):
    """An invoice's word as its provider said it. Said again with other content, it is a new revision; the last
    counts.

    Attributes:
        document: the invoice; `ServicePeriod.document` of the periods that its payment earns.
        payment, overpaid_by: external references of income events, which may be recorded later; empty for none.
        lines: [[line, amount as text, first day, day after the last]] of what was used of the customer's balance.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="settled_invoices", db_index=False)
    source = models.CharField(max_length=64)
    document = models.CharField(max_length=255)
    customer = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()
    payment = models.CharField(max_length=255, blank=True)
    paid = models.DecimalField(max_digits=20, decimal_places=6)
    overpaid_by = models.CharField(max_length=255, blank=True)
    overpaid = models.DecimalField(max_digits=20, decimal_places=6)
    before = models.DecimalField(max_digits=20, decimal_places=6)
    used = models.DecimalField(max_digits=20, decimal_places=6)
    lines = models.JSONField(default=list)
    revision = models.IntegerField()
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "source", "document", "revision"],
                name="one_settled_invoice_per_document_and_revision",
            ),
            models.CheckConstraint(
                condition=models.Q(paid__gte=0)
                & models.Q(paid__lt=10**14)
                & models.Q(overpaid__gte=0)
                & models.Q(overpaid__lt=10**14)
                & models.Q(before__lt=10**14)
                & models.Q(used__gte=0)
                & models.Q(used__lte=models.F("before")),
                name="settled_invoice_amounts_are_finite",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document} of {self.customer}"
