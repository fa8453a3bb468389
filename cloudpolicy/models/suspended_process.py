"""Processes that stand still because a plan suspended them, and run again once no rule asks for that any more."""

from django.db import models

from cloudpolicy.models.plan import ScalingPlan
from ledger.models.company import Company


class SuspendedProcess(models.Model):
    """One process of a group that a plan has suspended.

    Written with the intent of the call; `released_at` is filled once it runs again, whoever resumed it. What a
    person suspended is never in it, so that the policy resumes nothing that it has not suspended.

    Attributes:
        released_by: the run that resumed it, whose roll-back needs it once more; null when it ran already.
        left_because: who has taken it over as it stood, and why; '' when nobody has.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="suspended_processes")
    plan = models.ForeignKey(ScalingPlan, on_delete=models.PROTECT, related_name="suspended_processes")
    account = models.CharField(max_length=64, blank=True, default="")
    region = models.CharField(max_length=32)
    group = models.CharField(max_length=255)
    process = models.CharField(max_length=32)
    suspended_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        "cloudpolicy.ScalingRun",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="resumed_processes",
    )
    left_because = models.CharField(max_length=800, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "account", "region", "group", "process"],
                condition=models.Q(released_at__isnull=True),
                name="a_process_is_suspended_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.process} of {self.group}"
