"""Over which days income that came at once is earned."""

from django.db import models

from ledger.models.company import Company


class ServicePeriod(models.Model):
    """The part of an income event that is earned over `[start, end)`.

    It may be stated before the event is recorded, and stays when the event is taken back: what counts is decided
    by whoever joins both by `source` and `external_ref`. Stated again with other content, it is a new revision;
    the last one counts and the others stay.

    Attributes:
        line: tells several periods of one payment apart.
        document: the invoice that says so, for credit notes on it; empty where there is none.
        amount: zero takes an earlier revision back.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="service_periods", db_index=False)
    source = models.CharField(max_length=64)
    external_ref = models.CharField(max_length=255)
    line = models.CharField(max_length=255)
    document = models.CharField(max_length=255, blank=True, default="")
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3)
    start = models.DateField()
    end = models.DateField()
    revision = models.IntegerField()
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "source", "external_ref", "line", "revision"],
                name="one_service_period_per_line_and_revision",
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0) & models.Q(amount__lt=10**14),
                name="service_period_amount_is_finite",
            ),
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="service_period_has_days"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} from {self.start} to {self.end}"
