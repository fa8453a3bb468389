"""How many of the things that somebody said at once became what."""

from django.db import models
from django.db.models import F, Q


class ItemCounts(models.Model):
    """What became of the items of one intake: its events, the objects it takes back, and what it states beside.

    What cannot be read, and what says nothing about money, is one item.

    Attributes:
        items: how many there are; null for what was never read.
        recorded: events that are new.
        corrected: events that took the place of others of their object, or stand again.
        duplicate: known already, or nothing was there to take back.
        taken_back: objects of which something was reversed and nothing recorded.
        stated: balances, service periods and notices taken note of.
        ignored: deliberately, e.g. because something newer is known of the object.
        rejected: refused with a reason; they wait for a person.
    """

    items = models.IntegerField(null=True)
    recorded = models.IntegerField(default=0)
    corrected = models.IntegerField(default=0)
    duplicate = models.IntegerField(default=0)
    taken_back = models.IntegerField(default=0, db_default=0)
    stated = models.IntegerField(default=0, db_default=0)
    ignored = models.IntegerField(default=0, db_default=0)
    rejected = models.IntegerField(default=0)

    class Meta:
        abstract = True


def adds_up(name: str) -> models.CheckConstraint:
    """The rule that every item became something."""
    total = F("recorded") + F("corrected") + F("duplicate") + F("taken_back")
    return models.CheckConstraint(
        condition=Q(items=None) | Q(items=total + F("stated") + F("ignored") + F("rejected")), name=name
    )
