"""Who agreed to exactly which plan."""

from django.conf import settings
from django.db import models

from cloudpolicy.models.plan import ScalingPlan
from ledger.models.company import Company


class ApprovalKind(models.TextChoices):
    PERSON = "person", "A person"
    TOKEN = "token", "A token"
    POLICY = "policy", "The policy"


class PlanApproval(models.Model):
    """One approval. Approvals are only ever added; triggers refuse UPDATE, DELETE and TRUNCATE.

    Attributes:
        digest: of the plan as it was read: calls, p5, forecast run and policy. It must still be the plan's.
        kind: all tokens of a company together count as one, since one person can make several.
        user: who, for a person.
        actor: the same in words, also when the person is gone.
        expires_at: it counts until then.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="plan_approvals")
    plan = models.ForeignKey(ScalingPlan, on_delete=models.PROTECT, related_name="approvals")
    digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=6, choices=ApprovalKind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="plan_approvals"
    )
    actor = models.CharField(max_length=255)
    reason = models.CharField(max_length=500)
    approved_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind=ApprovalKind.PERSON, user__isnull=False)
                | (~models.Q(kind=ApprovalKind.PERSON) & models.Q(user__isnull=True)),
                name="plan_approval_of_a_person_names_them",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("approved_at")),
                name="plan_approval_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.plan_id} approved by {self.actor}"
