"""Banks connected through Plaid: how far each was read, and which account of ours is which of theirs."""

from django.db import models

from ledger.models.account import Account
from ledger.models.company import Company
from ledger.models.item_counts import ItemCounts, adds_up


class PlaidItem(models.Model):
    """One sign-in of ours at one bank.

    Attributes:
        access_token: sealed (see `ledger.services.sealed_secrets`).
        cursor: up to here the transactions are recorded; it moves in the transaction that records them.
        wanted_at: since when a walk waits to be made; None when nothing waits.
        retry_at: not before this, because Plaid asked us to wait or did not answer.
        silent: the bank tells us nothing until its owner does something; `trouble` says what.
        trouble: also set while the feed still speaks, when it is going to fall silent.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="plaid_items")
    item_id = models.CharField(max_length=100, unique=True)
    access_token = models.BinaryField()
    cursor = models.CharField(max_length=512, default="", blank=True)
    wanted_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    failures = models.IntegerField(default=0)
    synced_at = models.DateTimeField(null=True, blank=True)
    history_complete = models.BooleanField(default=False)
    silent = models.BooleanField(default=False)
    trouble = models.CharField(max_length=255, default="", blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.item_id


class PlaidAccount(models.Model):
    """An account of an item.

    Attributes:
        plaid_id: Plaid's `account_id`.
        account: ours; None for what holds no cash, such as loans and investments.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    item = models.ForeignKey(PlaidItem, on_delete=models.CASCADE, related_name="accounts")
    plaid_id = models.CharField(max_length=100)
    type = models.CharField(max_length=64, default="", blank=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "item", "plaid_id"], name="plaid_account_is_unique_in_item")
        ]

    def __str__(self) -> str:
        return self.plaid_id


class PlaidWalk(ItemCounts):
    """A walk through the news of an item, and what became of them.

    Attributes:
        pages: 0 when rows that had been refused were tried again.
        pending: rows left out until they post.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    item = models.ForeignKey(PlaidItem, on_delete=models.CASCADE, related_name="walks")
    ended_at = models.DateTimeField()
    pages = models.IntegerField()
    pending = models.IntegerField()

    class Meta:
        constraints = [adds_up("plaid_walk_items_add_up")]

    def __str__(self) -> str:
        return f"walk {self.pk}"


class PlaidRefusal(models.Model):
    """A row that was not recorded, with the reason: it waits here instead of being lost.

    Attributes:
        row: as Plaid sent it; `{"removed": true}` when Plaid took it back and that was refused.
        settled_at: when Plaid said something else about the transaction, or a person let it be recorded.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    item = models.ForeignKey(PlaidItem, on_delete=models.CASCADE, related_name="refusals")
    transaction_id = models.CharField(max_length=255)
    row = models.JSONField()
    reason = models.CharField(max_length=1000)
    refused_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "item", "transaction_id"], name="one_refusal_per_plaid_transaction"
            )
        ]

    def __str__(self) -> str:
        return f"{self.transaction_id}: {self.reason}"
