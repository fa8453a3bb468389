"""The groups of a company as they were last read."""

from django.db import models

from ledger.models.company import Company


class GroupsSeen(models.Model):
    """One row per company, written with each plan: pages show what the plan was made from and never ask the cloud.

    Attributes:
        groups: list of `cloudpolicy.selectors.groups_seen.SeenGroup.as_dict`, in the order of reading.
        seen_at: when they were read.
    """

    company = models.OneToOneField(Company, primary_key=True, on_delete=models.CASCADE, related_name="groups_seen")
    groups = models.JSONField(default=list)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{len(self.groups)} groups"
