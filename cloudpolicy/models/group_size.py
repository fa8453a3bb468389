"""The journal of sizes to return to."""

from django.db import models

from cloudpolicy.models.plan import ScalingPlan
from ledger.models.company import Company


class GroupSize(models.Model):
    """What a group was before a plan first shrank it.

    Whoever makes a plan's calls writes it before the first of them, and fills `restored_at` once the size is back.
    While it is open, the policy returns the group to this size as soon as no row of the ladder applies.

    Attributes:
        restored_by: the run that brought the size back, whose roll-back needs it again; null when it was back
            already.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="group_sizes")
    plan = models.ForeignKey(ScalingPlan, on_delete=models.PROTECT, related_name="journalled_sizes")
    account = models.CharField(max_length=64, blank=True, default="")
    region = models.CharField(max_length=32)
    group = models.CharField(max_length=255)
    min = models.PositiveIntegerField()
    max = models.PositiveIntegerField()
    desired = models.PositiveIntegerField()
    spot = models.BooleanField(null=True, help_text="Empty when it could not be read.")
    on_demand_percent = models.PositiveSmallIntegerField(
        null=True, help_text="Above the base, while spot was on; empty where the group shares out nothing."
    )
    journalled_at = models.DateTimeField()
    restored_at = models.DateTimeField(null=True, blank=True)
    restored_by = models.ForeignKey(
        "cloudpolicy.ScalingRun", null=True, blank=True, on_delete=models.PROTECT, related_name="restored_sizes"
    )

    class Meta:
        constraints = [
            # A second shrink must not overwrite the size from before the first.
            models.UniqueConstraint(
                fields=["company", "account", "region", "group"],
                condition=models.Q(restored_at__isnull=True),
                name="one_size_to_return_to_per_group",
            ),
            models.CheckConstraint(
                condition=models.Q(min__lte=models.F("desired"), desired__lte=models.F("max")),
                name="journalled_size_is_possible",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group}: {self.min}/{self.max}/{self.desired}"
