"""What the policy leaves alone for a while because of what a person did."""

from django.db import models

from cloudpolicy.models.plan import ScalingPlan
from ledger.models.company import Company


class Exclusion(models.Model):
    """A group or a resource that is left alone until `ends_at`, or until somebody lifts it.

    Attributes:
        account, region, name: what it is.
        only_growth: it may still be made smaller.
        plan: the plan that was rolled back, or that chose the size.
        actor, because: whose act it follows from, and why.
        lifted_at, lifted_by: null and '' while nobody has. What takes its place lifts it too.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="exclusions")
    plan = models.ForeignKey(ScalingPlan, on_delete=models.PROTECT, related_name="exclusions")
    account = models.CharField(max_length=64, blank=True, default="")
    region = models.CharField(max_length=32)
    name = models.CharField(max_length=255)
    only_growth = models.BooleanField(default=False)
    actor = models.CharField(max_length=255)
    because = models.CharField(max_length=500)
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=800, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "account", "region", "name"],
                condition=models.Q(lifted_at__isnull=True),
                name="one_exclusion_per_place",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("made_at")), name="an_exclusion_has_an_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} until {self.ends_at:%Y-%m-%d %H:%M}"
