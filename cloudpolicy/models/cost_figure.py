"""What a company's clouds cost lately, and what was saved."""

from django.db import models

from ledger.models.company import Company


class CostFigure(models.Model):
    """One row per company, written by the sweep: bills of millions of lines are not summed for every scrape.

    Attributes:
        start, stop: half-open days; null while no bill is there.
        cost: what bills say before credits, in base currency.
        saved: what the scores of that time say was saved.
        because: why the figure is not known; '' when it is.
        looked_at: when it was last computed, and scores were last looked for.
    """

    company = models.OneToOneField(Company, primary_key=True, on_delete=models.CASCADE, related_name="cost_figure")
    start = models.DateField(null=True)
    stop = models.DateField(null=True)
    currency = models.CharField(max_length=3)
    cost = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    saved = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    because = models.CharField(max_length=400, blank=True)
    looked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.saved} of {self.cost} {self.currency}"
