"""What events are for: rules that say so, and what each run of them assigned."""

from django.db import models

from ledger.models.account import Account
from ledger.models.company import Company


class RuleTest(models.TextChoices):
    CONTAINS = "contains", "Counterparty contains"
    REGEX = "regex", "Counterparty matches (regular expression)"
    ACCOUNT = "account", "Everything on the account"


class CategoryRule(models.Model):
    """Events that pass the test belong to the category. The rule with the lowest priority number wins.

    Attributes:
        pattern: text or regular expression, compared without regard to case; empty for a rule about an account.
        account: only events of this account; required for a rule about an account.
        counterparty: the name these events are shown under; empty leaves the cleaned one.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="category_rules")
    priority = models.IntegerField(default=100)
    test = models.CharField(max_length=8, choices=RuleTest)
    pattern = models.CharField(max_length=255, blank=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    category = models.CharField(max_length=255)
    counterparty = models.CharField(max_length=255, blank=True)
    active = models.BooleanField(default=True)
    actor = models.CharField(max_length=255)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["company", "priority", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(test__in=RuleTest.values), name="rule_test_is_known"),
            models.CheckConstraint(
                condition=models.Q(test=RuleTest.ACCOUNT, account__isnull=False)
                | (~models.Q(test=RuleTest.ACCOUNT) & ~models.Q(pattern="")),
                name="rule_tests_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.priority}: {self.category}"


class CategoryAssignment(models.Model):
    """What an event was assigned, and by which rule. A later revision goes before it, and nothing is rewritten.

    Attributes:
        rule: None when no rule speaks of the event any more.
        category, counterparty: as the read side shows the event; empty leaves what was recorded.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    event_id = models.BinaryField(max_length=32)
    position = models.BigIntegerField()
    revision = models.IntegerField()
    rule = models.ForeignKey(CategoryRule, on_delete=models.SET_NULL, null=True, related_name="+")
    category = models.CharField(max_length=255, blank=True)
    counterparty = models.CharField(max_length=255, blank=True)
    actor = models.CharField(max_length=255)
    assigned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "event_id", "revision"], name="one_assignment_per_revision"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} ({self.revision})"


class AssignmentCursor(models.Model):
    """How far the rules have been applied.

    Attributes:
        rules_digest: of the rules as they were applied; with other rules the journal is gone through again.
    """

    company = models.OneToOneField(Company, on_delete=models.CASCADE, primary_key=True, related_name="+")
    position = models.BigIntegerField(default=0, db_default=0)
    rules_digest = models.CharField(max_length=64, default="", db_default="")

    def __str__(self) -> str:
        return f"{self.company} assigned to {self.position}"
