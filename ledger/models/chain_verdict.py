"""What the verifier found when it last held a company's journal against its chain."""

from django.db import models

from ledger.models.company import Company


class ChainVerdict(models.Model):
    """The latest verdict about a company, so that whoever must not act on a broken chain need not recompute it.

    Attributes:
        verified_at: when the verification began: what was done to a row after that is not in it.
        took_seconds: how long it took; decides when it is worth doing again.
        position: of the journal's head then.
        sealed, exported: up to where seals and heads outside of the database were met.
        broken_at: position of the first break; null while the chain holds.
        kind, detail: of the break, as `verify_ledger` says them; empty while the chain holds.
    """

    company = models.OneToOneField(Company, on_delete=models.CASCADE, primary_key=True, related_name="+")
    verified_at = models.DateTimeField()
    took_seconds = models.FloatField()
    position = models.BigIntegerField()
    sealed = models.BigIntegerField()
    exported = models.BigIntegerField()
    broken_at = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=16, blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(broken_at__isnull=True, kind="", detail="")
                | models.Q(broken_at__isnull=False) & ~models.Q(kind="") & ~models.Q(detail=""),
                name="a_broken_chain_says_how",
            ),
        ]

    def __str__(self) -> str:
        return f"holds to {self.position}" if self.broken_at is None else f"broken at {self.broken_at}"
