"""A page of the books read every vendor's days and looked through the journal; `0029_account_days.sql` says how not."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0028_customer_balances"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "company_id",
                        "account_id",
                        "currency",
                        "day",
                        "event_type",
                        "direction",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("day", models.DateField()),
                ("event_type", models.CharField(max_length=10)),
                ("direction", models.CharField(max_length=3)),
                ("amount", models.DecimalField(decimal_places=6, max_digits=30)),
                ("base_amount", models.DecimalField(decimal_places=6, max_digits=30)),
                ("count", models.IntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.account",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"),
            "DROP INDEX ledger_dailyflow_rare; DROP INDEX ledger_capitalevent_refunds;"
            " DROP INDEX ledger_capitalevent_payroll_tax",
        ),
    ]
