"""What an instance-hour costs, where a person says so because no bill does."""

from django.db import models

from ledger.models.company import Company


class Market(models.TextChoices):
    ON_DEMAND = "on_demand", "On demand"
    SPOT = "spot", "Spot"


class InstancePrice(models.Model):
    """One price as somebody entered it. Prices are only ever added; of one kind the newest counts.

    Attributes:
        account: the cloud account by its name in the settings; '' for all of them.
        instance_type, group: what the price is of: all instances of a type in a region, or those of one group.
        per_hour: null takes the price before it back.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="instance_prices")
    account = models.CharField(max_length=64, blank=True, default="")
    region = models.CharField(max_length=32)
    instance_type = models.CharField(max_length=64, blank=True, default="")
    group = models.CharField(max_length=255, blank=True, default="")
    market = models.CharField(max_length=9, choices=Market, default=Market.ON_DEMAND)
    per_hour = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    currency = models.CharField(max_length=3)
    actor = models.CharField(max_length=255)
    because = models.CharField(max_length=500)
    entered_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["company", "-id"], name="instance_price_newest_first")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(instance_type="") ^ models.Q(group=""),
                name="instance_price_is_of_a_type_or_a_group",
            ),
            models.CheckConstraint(
                # NaN is greater than every number in Postgres.
                condition=models.Q(per_hour__isnull=True) | models.Q(per_hour__gt=0, per_hour__lt=10**14),
                name="instance_price_is_positive_and_finite",
            ),
            models.CheckConstraint(
                condition=models.Q(market__in=Market.values), name="instance_price_market_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instance_type or self.group} {self.market} in {self.region}"
