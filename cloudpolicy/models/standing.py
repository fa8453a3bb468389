"""Where a company stands on the ladder of its policy."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ledger.models.company import Company


class LadderStanding(models.Model):
    """One row per company, written with each decision on a trusted forecast (`engine.standing.Standing`).

    Attributes:
        waiting: {row: forecasts in a row that ask for it to move}.
        turns: {environment: {at: ISO instant, direction: -1 | 1}}.
        counted_run: the last forecast run that was counted.
    """

    company = models.OneToOneField(
        Company, primary_key=True, on_delete=models.CASCADE, related_name="ladder_standing"
    )
    rows_in_force = ArrayField(models.CharField(max_length=160), default=list)
    waiting = models.JSONField(default=dict)
    turns = models.JSONField(default=dict)
    counted_run = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return ", ".join(self.rows_in_force) or "above the ladder"
