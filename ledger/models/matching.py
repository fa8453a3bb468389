"""What the matcher keeps: how far it has read, which feeds speak about an account, and the legs of transfers."""

from django.db import models

from ledger.models.account import Account
from ledger.models.company import Company


class MatchCursor(models.Model):
    """How far the matcher has followed the journal. It moves in the transaction that stores what was found."""

    company = models.OneToOneField(Company, on_delete=models.CASCADE, primary_key=True, related_name="+")
    position = models.BigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"{self.company} matched to {self.position}"


class AccountFeed(models.Model):
    """One source that speaks about an account, as far as the matcher has read.

    Attributes:
        events: recorded, reversals not counted.
        first_occurred_at, last_occurred_at: of its earliest and its latest event.
        last_recorded_at: when we last heard of it.
    """

    pk = models.CompositePrimaryKey("company_id", "account_id", "source")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="feeds", db_index=False)
    source = models.CharField(max_length=64)
    events = models.BigIntegerField()
    first_occurred_at = models.DateTimeField()
    last_occurred_at = models.DateTimeField()
    last_recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.source} on {self.account}"


class TransferMatch(models.Model):
    """Two legs that are one transfer. Taken apart, it stays, and the matcher never pairs the two again.

    Attributes:
        origin: `matcher`, or who matched by hand.
        ended_at, ended_by, end_reason: set when it was taken apart.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    out_position = models.BigIntegerField()
    in_position = models.BigIntegerField()
    origin = models.CharField(max_length=255)
    matched_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=255, blank=True, default="")
    end_reason = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "out_position"],
                condition=models.Q(ended_at=None),
                name="a_leaving_leg_has_one_match",
            ),
            models.UniqueConstraint(
                fields=["company", "in_position"],
                condition=models.Q(ended_at=None),
                name="an_arriving_leg_has_one_match",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.out_position} to {self.in_position}"


class TransferLeg(models.Model):
    """An event that is a side of a transfer, or may be one: every transfer, and income or expense that fits one.

    Attributes:
        stated_rate: at which its money was converted, where its sender said so in metadata (`rate`).
        match: None while it waits for its other side.
        reversed: its event was taken back; it waits for nothing.
    """

    pk = models.CompositePrimaryKey("company_id", "position")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    position = models.BigIntegerField()
    event_id = models.BinaryField(max_length=32)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=64)
    event_type = models.CharField(max_length=10)
    direction = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3)
    base_amount = models.DecimalField(max_digits=20, decimal_places=6)
    occurred_at = models.DateTimeField()
    counterparty = models.CharField(max_length=255)
    stated_rate = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    match = models.ForeignKey(
        TransferMatch, on_delete=models.SET_NULL, null=True, related_name="legs", db_index=False
    )
    reversed = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["company", "occurred_at"],
                condition=models.Q(match=None, reversed=False),
                name="transfer_leg_waits",
            ),
            models.Index(
                fields=["match"], condition=models.Q(match__isnull=False), name="transfer_leg_of_a_match"
            ),
            models.Index(fields=["company", "event_id"], name="transfer_leg_of_an_event"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.amount} {self.currency}"


class EventReading(models.Model):
    """How the read side takes an event, where that is not what its feed called it. The event stays as it is.

    Attributes:
        event_type: `transfer` for a matched leg that its feed took for income or expense; None as recorded.
        category, counterparty: of the latest assignment; None as recorded.
    """

    pk = models.CompositePrimaryKey("company_id", "event_id")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    event_id = models.BinaryField(max_length=32)
    event_type = models.CharField(max_length=10, null=True)
    category = models.CharField(max_length=255, null=True)
    counterparty = models.CharField(max_length=255, null=True)

    def __str__(self) -> str:
        return bytes(self.event_id).hex()
