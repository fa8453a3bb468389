"""There was no journal; this makes the partitioned, append-only one of `0003_journal.sql`."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0002_journal_neighbours"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="CapitalEvent",
                    fields=[
                        ("event_id", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                        (
                            "position",
                            models.BigIntegerField(help_text="Gapless per company, in the order of commits."),
                        ),
                        ("source", models.CharField(max_length=64)),
                        (
                            "event_type",
                            models.CharField(
                                choices=[
                                    ("expense", "Expense"),
                                    ("income", "Income"),
                                    ("credit", "Vendor credit"),
                                    ("adjustment", "Adjustment"),
                                    ("transfer", "Transfer"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("direction", models.CharField(choices=[("in", "In"), ("out", "Out")], max_length=3)),
                        ("amount", models.DecimalField(decimal_places=6, max_digits=20)),
                        ("currency", models.CharField(max_length=3)),
                        ("occurred_at", models.DateTimeField()),
                        ("category", models.CharField(max_length=255)),
                        ("counterparty", models.CharField(max_length=255)),
                        ("external_ref", models.CharField(max_length=255)),
                        ("metadata", models.JSONField()),
                        ("base_amount", models.DecimalField(decimal_places=6, max_digits=20)),
                        (
                            "fx_rate",
                            models.DecimalField(
                                decimal_places=12, help_text="Base currency per unit.", max_digits=24
                            ),
                        ),
                        ("fx_source", models.CharField(max_length=32)),
                        ("fx_at", models.DateTimeField()),
                        ("revision", models.IntegerField()),
                        (
                            "reverses",
                            models.BinaryField(
                                help_text="The event that this one takes back.", max_length=32, null=True
                            ),
                        ),
                        ("recorded_at", models.DateTimeField()),
                        ("actor", models.CharField(max_length=255)),
                        ("reason", models.CharField(max_length=255)),
                        (
                            "account",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="events",
                                to="ledger.account",
                            ),
                        ),
                        (
                            "company",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="events",
                                to="ledger.company",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-occurred_at"],
                    },
                ),
            ],
        ),
    ]
