"""Which instances a group has had."""

from django.db import models

from ledger.models.company import Company


class GroupInstance(models.Model):
    """An instance as it was first seen in a group. Bills name instances and not groups, so what a group cost is
    what the instances cost that were ever seen in it.

    Attributes:
        first_seen: when the groups were read and it was there.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    account = models.CharField(max_length=64, blank=True, default="")
    region = models.CharField(max_length=32)
    group = models.CharField(max_length=255)
    instance = models.CharField(max_length=255)
    instance_type = models.CharField(max_length=64, blank=True, default="")
    first_seen = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "account", "region", "group", "instance"], name="group_instance_is_noted_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instance} of {self.group}"
