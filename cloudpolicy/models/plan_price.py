"""What the calls of a plan were found to be worth."""

from django.db import models

from cloudpolicy.models.plan import ScalingPlan
from ledger.models.company import Company


class PlanPrice(models.Model):
    """One pricing of a plan. Pricings are only ever added; the newest counts.

    The plan's digest does not cover it: see docs/adr/0126.

    Attributes:
        prices: digest over the prices that were used; another one asks for another pricing.
        currency: the company's base currency.
        monthly_saving: of all calls together; null where one of them could not be priced.
        base_p5_days, p5_days: without the plan, and with all of its calls; null where no forecast could be run
            again.
        calls: list of `cloudpolicy.engine.worth.CallWorth.as_dict`, one per call of the plan.
        curve: list of [saving per month, p5 in days], by saving: what was simulated.
        because: why there are no days; '' when there are.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="plan_prices", db_index=False)
    plan = models.ForeignKey(ScalingPlan, on_delete=models.PROTECT, related_name="prices", db_index=False)
    priced_at = models.DateTimeField()
    prices = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    credit_share = models.DecimalField(max_digits=7, decimal_places=6, default=0)
    monthly_saving = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    base_p5_days = models.PositiveIntegerField(null=True)
    p5_days = models.PositiveIntegerField(null=True)
    calls = models.JSONField(default=list)
    curve = models.JSONField(default=list)
    because = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["company", "plan", "-id"], name="plan_price_newest_first")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(base_p5_days__isnull=True) | models.Q(because=""),
                name="plan_price_has_days_or_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.plan_id}: {self.monthly_saving} {self.currency} a month"
