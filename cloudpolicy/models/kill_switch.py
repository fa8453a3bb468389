"""The switch that stops everything."""

from django.db import models

from ledger.models.company import Company


class KillSwitchTurn(models.Model):
    """The switch was turned; the newest turn counts. Turns are only ever added.

    Attributes:
        on: nothing changes the company's cloud from here on.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="kill_switch_turns")
    on = models.BooleanField()
    actor = models.CharField(max_length=255)
    reason = models.CharField(max_length=500)
    turned_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["company", "-id"], name="kill_switch_newest_first")]

    def __str__(self) -> str:
        return "on" if self.on else "off"
