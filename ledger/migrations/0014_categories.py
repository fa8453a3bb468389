"""What an event is for was what its feed said; now rules say so too, and every run of them is kept."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0013_reconciliation"),
    ]

    operations = [
        migrations.CreateModel(
            name="AssignmentCursor",
            fields=[
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="ledger.company",
                    ),
                ),
                ("position", models.BigIntegerField(db_default=0, default=0)),
                ("rules_digest", models.CharField(db_default="", default="", max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="CategoryRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("priority", models.IntegerField(default=100)),
                (
                    "test",
                    models.CharField(
                        choices=[
                            ("contains", "Counterparty contains"),
                            ("regex", "Counterparty matches (regular expression)"),
                            ("account", "Everything on the account"),
                        ],
                        max_length=8,
                    ),
                ),
                ("pattern", models.CharField(blank=True, max_length=255)),
                ("category", models.CharField(max_length=255)),
                ("counterparty", models.CharField(blank=True, max_length=255)),
                ("active", models.BooleanField(default=True)),
                ("actor", models.CharField(max_length=255)),
                ("changed_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ledger.account",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="category_rules",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "ordering": ["company", "priority", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("test__in", ["contains", "regex", "account"])),
                        name="rule_test_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account__isnull", False), ("test", "account")),
                            models.Q(
                                models.Q(("test", "account"), _negated=True),
                                models.Q(("pattern", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="rule_tests_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CategoryAssignment",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("event_id", models.BinaryField(max_length=32)),
                ("position", models.BigIntegerField()),
                ("revision", models.IntegerField()),
                ("category", models.CharField(blank=True, max_length=255)),
                ("counterparty", models.CharField(blank=True, max_length=255)),
                ("actor", models.CharField(max_length=255)),
                ("assigned_at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="ledger.categoryrule",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "event_id", "revision"), name="one_assignment_per_revision"
                    ),
                ],
            },
        ),
    ]
