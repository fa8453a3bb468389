"""What the matcher keeps: how far it has read, which feeds speak about an account, and the legs of transfers.

Beside it stand the splits: an event that is several things at once, part by part.
"""

from django.contrib.postgres.fields import ArrayField
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
        days: the last 32 days on which it had events, in the company's calendar, newest first: its habits.
    """

    pk = models.CompositePrimaryKey("company_id", "account_id", "source")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="feeds", db_index=False)
    source = models.CharField(max_length=64)
    events = models.BigIntegerField()
    first_occurred_at = models.DateTimeField()
    last_occurred_at = models.DateTimeField()
    last_recorded_at = models.DateTimeField()
    days = ArrayField(models.DateField(), default=list)

    def __str__(self) -> str:
        return f"{self.source} on {self.account}"


class TransferMatch(models.Model):
    """Two legs that are one transfer. Taken apart, it stays, and the matcher never pairs the two again.

    Attributes:
        out_part, in_part: number of the part of a split event; 0 is the whole of it.
        origin: `matcher`, or who matched by hand.
        ended_at, ended_by, end_reason: set when it was taken apart.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    out_position = models.BigIntegerField()
    out_part = models.SmallIntegerField(default=0, db_default=0)
    in_position = models.BigIntegerField()
    in_part = models.SmallIntegerField(default=0, db_default=0)
    origin = models.CharField(max_length=255)
    matched_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=255, blank=True, default="")
    end_reason = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "out_position", "out_part"],
                condition=models.Q(ended_at=None),
                name="a_leaving_leg_has_one_match",
            ),
            models.UniqueConstraint(
                fields=["company", "in_position", "in_part"],
                condition=models.Q(ended_at=None),
                name="an_arriving_leg_has_one_match",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.out_position} to {self.in_position}"


class TransferLeg(models.Model):
    """An event that is a side of a transfer, or may be one: every transfer, and income or expense that fits one.

    A split event has a leg for each part that is a transfer, instead of one for the whole.

    Attributes:
        part: number of the part; 0 is the whole event. The amounts are those of the part.
        stated_rate: at which its money was converted, where its sender said so in metadata (`rate`).
        match: None while it waits for its other side.
        reversed: its event was taken back; it waits for nothing.
        is_split: the parts of the event stand for it; it waits for nothing either.
    """

    pk = models.CompositePrimaryKey("company_id", "position", "part")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    position = models.BigIntegerField()
    part = models.SmallIntegerField(default=0, db_default=0)
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
    is_split = models.BooleanField(default=False, db_default=False)

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


class EventSplit(models.Model):
    """An event that is several things at once. Put together again, it stays as history and counts no more.

    Attributes:
        position, event_id: of the event.
        is_batch: every part is one side of a transfer, and all of them were found together: the event is a batch.
        origin: `matcher`, or who split it.
        ended_at, ended_by, end_reason: set when it was put together again.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    position = models.BigIntegerField()
    event_id = models.BinaryField(max_length=32)
    is_batch = models.BooleanField()
    origin = models.CharField(max_length=255)
    split_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=255, blank=True, default="")
    end_reason = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "position"], condition=models.Q(ended_at=None), name="an_event_is_split_once"
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.position} in parts"


class EventPart(models.Model):
    """One of the things that a split event is. Together the parts are the event, to the last digit.

    Attributes:
        part: 1, 2, 3 and so on.
        amount, base_amount: positive, in the event's currency and in the company's.
        event_type: what this part counts as; None as the event was recorded.
        category, counterparty: None as the event has them.
        in_force: false once the event was put together again.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    split = models.ForeignKey(EventSplit, on_delete=models.CASCADE, related_name="parts")
    event_id = models.BinaryField(max_length=32)
    part = models.SmallIntegerField()
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    base_amount = models.DecimalField(max_digits=20, decimal_places=6)
    event_type = models.CharField(max_length=10, null=True)
    category = models.CharField(max_length=255, null=True)
    counterparty = models.CharField(max_length=255, null=True)
    in_force = models.BooleanField(default=True, db_default=True)

    class Meta:
        ordering = ["split", "part"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "event_id", "part"],
                condition=models.Q(in_force=True),
                name="one_part_per_number",
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0) & models.Q(base_amount__gte=0), name="a_part_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"part {self.part} of {bytes(self.event_id).hex()}"
