"""The journal summed by day: what a forecast reads instead of a million rows."""

from django.db import models

from ledger.models.account import Account
from ledger.models.company import Company


class DailyFlow(models.Model):
    """The sum of all events of one company, day and kind. Filled by `ledger.services.daily_flows` alone.

    A reversal is booked into the row of what it takes back, with its sign turned, so a reversed pair sums to zero.

    Attributes:
        day: in the company's calendar.
        amount: in `currency`; not signed by direction, but below zero where reversals outweigh.
        count: events less twice the reversed ones.
    """

    pk = models.CompositePrimaryKey(
        "company_id", "day", "account_id", "currency", "event_type", "direction", "category", "counterparty"
    )
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    currency = models.CharField(max_length=3)
    event_type = models.CharField(max_length=10)
    direction = models.CharField(max_length=3)
    category = models.CharField(max_length=255)
    counterparty = models.CharField(max_length=255)
    amount = models.DecimalField(max_digits=30, decimal_places=6)
    base_amount = models.DecimalField(max_digits=30, decimal_places=6)
    count = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.event_type} {self.direction} {self.amount} {self.currency}"


class AccountDay(models.Model):
    """The daily flows of an account without what they are for and with whom: what balances are made of.

    A company with many vendors has a hundred times as many flows as days. Filled beside them, in one statement.
    """

    pk = models.CompositePrimaryKey("company_id", "account_id", "currency", "day", "event_type", "direction")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    currency = models.CharField(max_length=3)
    day = models.DateField()
    event_type = models.CharField(max_length=10)
    direction = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=30, decimal_places=6)
    base_amount = models.DecimalField(max_digits=30, decimal_places=6)
    count = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.event_type} {self.direction} {self.amount} {self.currency}"


class ContractReceiptRow(models.Model):
    """One payment for a contract delivered over months, picked out of the journal's metadata."""

    pk = models.CompositePrimaryKey("company_id", "event_id")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    event_id = models.BinaryField(max_length=32)
    day = models.DateField()
    customer = models.CharField(max_length=255)
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3)
    term_months = models.IntegerField()
    deferred = models.BooleanField()
    renewal = models.BooleanField()

    class Meta:
        db_table = "ledger_contractreceipt"

    def __str__(self) -> str:
        return f"{self.customer} {self.amount} {self.currency} for {self.term_months} months"


class DailyFlowCursor(models.Model):
    """How far the journal has been summed. It moves in the transaction that stores the sums.

    Attributes:
        timezone: the company's time zone the days were cut in; a change of it means to sum anew.
        version: moves with every change of the sums, by reading on or by reading otherwise.
    """

    company = models.OneToOneField(Company, on_delete=models.CASCADE, primary_key=True, related_name="+")
    position = models.BigIntegerField(default=0, db_default=0)
    version = models.BigIntegerField(default=0, db_default=0)
    timezone = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.company} summed to {self.position}"
