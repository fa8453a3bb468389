"""The journal: what happened, appended and never changed."""

from django.db import models

from ledger.models.account import Account
from ledger.models.company import Company


class EventType(models.TextChoices):
    EXPENSE = "expense", "Expense"
    INCOME = "income", "Income"
    CREDIT = "credit", "Vendor credit"
    ADJUSTMENT = "adjustment", "Adjustment"
    TRANSFER = "transfer", "Transfer"


class Direction(models.TextChoices):
    IN = "in", "In"
    OUT = "out", "Out"


class CapitalEvent(models.Model):
    """One event of the journal. Read it here; write it with `ledger.services.record` alone.

    The table is made by SQL (migration 0003): partitioned by month of `occurred_at`, key (company_id, event_id,
    occurred_at). Django's admin and foreign keys need a single column, so `event_id` is the key declared here: a
    SHA-256 over the company too, it is unique by itself. `tests/ledger/models/test_catalog.py` holds both
    together.

    The references carry no constraint of the database: two of them per row cost more than the row. The function
    that writes checks that the account is the company's, and triggers refuse to delete a company or an account
    with events.
    """

    event_id = models.BinaryField(primary_key=True, max_length=32)
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="events", db_constraint=False, db_index=False
    )
    position = models.BigIntegerField(help_text="Gapless per company, in the order of commits.")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="events", db_constraint=False, db_index=False
    )
    source = models.CharField(max_length=64)
    event_type = models.CharField(max_length=10, choices=EventType)
    direction = models.CharField(max_length=3, choices=Direction)
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3)
    occurred_at = models.DateTimeField()
    category = models.CharField(max_length=255)
    counterparty = models.CharField(max_length=255)
    external_ref = models.CharField(max_length=255)
    metadata = models.JSONField()
    base_amount = models.DecimalField(max_digits=20, decimal_places=6)
    fx_rate = models.DecimalField(max_digits=24, decimal_places=12, help_text="Base currency per unit.")
    fx_source = models.CharField(max_length=32)
    fx_at = models.DateTimeField()
    revision = models.IntegerField()
    reverses = models.BinaryField(max_length=32, null=True, help_text="The event that this one takes back.")
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=255)
    reason = models.CharField(max_length=255)

    class Meta:
        ordering = ["-occurred_at"]

    def __str__(self) -> str:
        return f"{self.event_type} {self.amount} {self.currency} from {self.source}"


class ExternalObject(models.Model):
    """One object at a provider (a charge, a line of a payroll) and the event that stands for it now.

    Its key decides whether something is recorded, a duplicate or a conflict. An event without an external
    reference stands for itself: `twin` is its event id then, and empty otherwise.

    Attributes:
        event_id, occurred_at: the key of the event in the journal.
        amount, currency, revision: of that event; with them other content is told without reading the journal.
        reversed: that event has been taken back; other content may follow as the next revision.
    """

    pk = models.CompositePrimaryKey(
        "company_id", "account_id", "source", "event_type", "direction", "external_ref", "twin"
    )
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    source = models.CharField(max_length=64)
    event_type = models.CharField(max_length=10)
    direction = models.CharField(max_length=3)
    external_ref = models.CharField(max_length=255)
    twin = models.BinaryField(max_length=32)
    event_id = models.BinaryField(max_length=32)
    occurred_at = models.DateTimeField()
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3)
    revision = models.IntegerField(default=0, db_default=0)
    reversed = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return self.external_ref or bytes(self.twin).hex()


class JournalHead(models.Model):
    """The last position of a company's journal. Whoever records locks this row last, before the commit.

    Attributes:
        has_closed_months: moved by a trigger of MonthClosing; only then are the months of new rows looked at.
    """

    company = models.OneToOneField(
        Company, on_delete=models.CASCADE, primary_key=True, related_name="journal_head"
    )
    position = models.BigIntegerField(default=0, db_default=0)
    has_closed_months = models.BooleanField(default=False, db_default=False, editable=False)

    def __str__(self) -> str:
        return f"{self.company} at {self.position}"
