"""What stands still because a plan stopped it, and runs again once no rule asks for that any more."""

from django.db import models

from cloudpolicy.models.plan import ScalingPlan
from ledger.models.company import Company


class HeldResource(models.Model):
    """An instance, a database or a request for spot that a plan has stopped.

    Whoever makes a plan's calls writes it before the first of them, and fills `released_at` once it runs again.
    What somebody else had stopped is never in it, so that the policy starts nothing that it has not stopped.

    Attributes:
        action, account, region, resource: what no other resource shares.
        call: `ApiCall.as_dict` of the call that stops it; its inverse lets it run again.
        before: the settings that were found before that.
        released_by: the run that let it run again, whose roll-back needs it once more; null when it ran already.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="held_resources")
    plan = models.ForeignKey(ScalingPlan, on_delete=models.PROTECT, related_name="held_resources")
    action = models.CharField(max_length=64)
    account = models.CharField(max_length=64, blank=True, default="")
    region = models.CharField(max_length=32)
    resource = models.CharField(max_length=255)
    call = models.JSONField()
    before = models.JSONField()
    held_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        "cloudpolicy.ScalingRun",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="released_resources",
    )

    class Meta:
        constraints = [
            # Stopped once more, what it was before the first time still counts.
            models.UniqueConstraint(
                fields=["company", "action", "account", "region", "resource"],
                condition=models.Q(released_at__isnull=True),
                name="one_hold_per_resource",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource}: {self.action}"
