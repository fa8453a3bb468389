"""Bills of cloud providers as they were delivered, with every digit of every line."""

from django.db import models

from ledger.models.company import Company


class BillState(models.TextChoices):
    """STAGED leads to CURRENT, and that to SUPERSEDED. A staged bill is of an import under way or broken off."""

    STAGED = "staged", "Being imported"
    CURRENT = "current", "In force"
    SUPERSEDED = "superseded", "Replaced by a later delivery"


class CloudBill(models.Model):
    """One delivery of a bill. The newest counts; of earlier ones the totals stay, and the journal has it all.

    Attributes:
        period_start, period_end: half-open.
        version: counts the deliveries that differed, from 1; null while staged.
        format: name of the importer that read it.
        digest: over all lines, in any order.
        billed, effective, listed: sums of the lines, unrounded; the latter two null where no line states one.
        journalled: sum of the bill's events in the journal, signed as the bill is: each was rounded once.
        actor: who imported it.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    provider = models.CharField(max_length=64)
    billing_account = models.CharField(max_length=255)
    period_start = models.DateField()
    period_end = models.DateField()
    version = models.IntegerField(null=True)
    state = models.CharField(max_length=10, choices=BillState, default=BillState.STAGED)
    format = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    lines = models.IntegerField(default=0)
    digest = models.BinaryField(max_length=32, null=True)
    billed = models.DecimalField(default=0)
    effective = models.DecimalField(null=True)
    listed = models.DecimalField(null=True)
    journalled = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    imported_at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "provider", "billing_account", "period_start", "version"],
                name="bill_versions_are_numbered",
            ),
            models.UniqueConstraint(
                fields=["company", "provider", "billing_account", "period_start"],
                condition=models.Q(state="current"),
                name="one_delivery_of_a_bill_is_in_force",
            ),
            models.CheckConstraint(condition=models.Q(state__in=BillState.values), name="bill_state_is_known"),
            models.CheckConstraint(
                condition=models.Q(state="staged") | models.Q(version__gt=0, digest__isnull=False),
                name="a_finished_bill_has_version_and_digest",
            ),
            models.CheckConstraint(
                condition=models.Q(period_end__gt=models.F("period_start")), name="bill_period_is_half_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.billing_account} {self.period_start:%Y-%m}"


class CloudBillLine(models.Model):
    """One line of a delivery, in the order of the file. Lines of a superseded delivery are gone.

    Written by COPY, read with their bill: the reference carries no constraint of the database.

    Attributes:
        bill: the delivery that brought the line: its import.
        day: UTC day on which the charge began; the bill's calendar is the provider's.
        until: the day after the last one of a charge for several days; null where it lies within `day`.
        billed, effective, listed: numeric without a scale: as many digits as the file states.
        digest: over everything the line says; with the count of equal ones it is known again.
    """

    pk = models.CompositePrimaryKey("company_id", "bill_id", "ordinal")
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    bill = models.ForeignKey(
        CloudBill, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    ordinal = models.IntegerField()
    day = models.DateField()
    until = models.DateField(null=True)
    occurred_at = models.DateTimeField()
    sub_account = models.CharField(max_length=255)
    service = models.CharField(max_length=255)
    region = models.CharField(max_length=255)
    resource = models.TextField()
    charge_type = models.CharField(max_length=16)
    usage_type = models.CharField(max_length=255)
    quantity = models.DecimalField(null=True)
    unit = models.CharField(max_length=255)
    billed = models.DecimalField()
    effective = models.DecimalField(null=True)
    listed = models.DecimalField(null=True)
    currency = models.CharField(max_length=3)
    digest = models.BinaryField(max_length=32)

    class Meta:
        indexes = [
            models.Index(fields=["company", "day"], name="cloud_bill_line_by_day"),
            models.Index(
                fields=["company", "until"],
                condition=models.Q(until__isnull=False),
                name="cloud_bill_line_of_many_days",
            ),
        ]
        constraints = [
            # NaN counts as greater than every number, and one of them poisons every sum.
            models.CheckConstraint(
                condition=models.Q(billed__gt=-(10**38)) & models.Q(billed__lt=10**38),
                name="billed_is_a_finite_number",
            ),
            models.CheckConstraint(
                condition=models.Q(until__isnull=True) | models.Q(until__gt=models.F("day")),
                name="a_charge_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service} {self.charge_type} {self.billed} {self.currency}"
