"""The tenant and who may do what in it."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models


class Company(models.Model):
    """A tenant. Every other row of the application carries its company.

    Attributes:
        books_version: moved by triggers with everything a recorder may keep in memory: accounts, currency, time
            zone, tokens, closed months.
        adjustment_limit: adjustments by hand above it, in the base currency, wait for a second person.
    """

    slug = models.CharField(
        max_length=63,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9]+(?:-[a-z0-9]+)*$", "Use lower-case letters, digits and hyphens.")],
    )
    name = models.CharField(max_length=200)
    base_currency = models.CharField(max_length=3, default="USD")
    timezone = models.CharField(max_length=64, default="UTC", help_text="IANA name; decides what a day is.")
    created_at = models.DateTimeField()
    adjustment_limit = models.DecimalField(
        max_digits=20,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="Adjustments by hand above it wait for a second person's approval. Empty: none do.",
    )
    books_version = models.BigIntegerField(default=1, db_default=1, editable=False)

    class Meta:
        verbose_name_plural = "companies"

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    FOUNDER = "founder", "Founder"
    FINANCE = "finance", "Finance"
    ADMIN = "admin", "Admin"


class Membership(models.Model):
    """What a person may do in a company.

    founder reads and runs scenarios; finance also records adjustments and plans; admin also changes settings
    and approves.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "user"], name="one_membership_per_person_and_company"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.company} as {self.role}"
