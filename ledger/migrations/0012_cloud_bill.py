"""Cloud bills had no place for their lines; now each delivery of a bill is kept, every digit of it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0011_import_memory"),
    ]

    operations = [
        migrations.CreateModel(
            name="CloudBill",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("provider", models.CharField(max_length=64)),
                ("billing_account", models.CharField(max_length=255)),
                ("period_start", models.DateField()),
                ("period_end", models.DateField()),
                ("version", models.IntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("staged", "Being imported"),
                            ("current", "In force"),
                            ("superseded", "Replaced by a later delivery"),
                        ],
                        default="staged",
                        max_length=10,
                    ),
                ),
                ("format", models.CharField(max_length=32)),
                ("currency", models.CharField(max_length=3)),
                ("lines", models.IntegerField(default=0)),
                ("digest", models.BinaryField(max_length=32, null=True)),
                ("billed", models.DecimalField(default=0)),
                ("effective", models.DecimalField(null=True)),
                ("listed", models.DecimalField(null=True)),
                ("journalled", models.DecimalField(decimal_places=6, default=0, max_digits=20)),
                ("imported_at", models.DateTimeField()),
                ("actor", models.CharField(max_length=255)),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "provider", "billing_account", "period_start", "version"),
                        name="bill_versions_are_numbered",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "current")),
                        fields=("company", "provider", "billing_account", "period_start"),
                        name="one_delivery_of_a_bill_is_in_force",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["staged", "current", "superseded"])),
                        name="bill_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "staged"),
                            models.Q(("digest__isnull", False), ("version__gt", 0)),
                            _connector="OR",
                        ),
                        name="a_finished_bill_has_version_and_digest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period_end__gt", models.F("period_start"))),
                        name="bill_period_is_half_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CloudBillLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "company_id",
                        "bill_id",
                        "ordinal",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("ordinal", models.IntegerField()),
                ("day", models.DateField()),
                ("occurred_at", models.DateTimeField()),
                ("sub_account", models.CharField(max_length=255)),
                ("service", models.CharField(max_length=255)),
                ("region", models.CharField(max_length=255)),
                ("resource", models.TextField()),
                ("charge_type", models.CharField(max_length=16)),
                ("usage_type", models.CharField(max_length=255)),
                ("quantity", models.DecimalField(null=True)),
                ("unit", models.CharField(max_length=255)),
                ("billed", models.DecimalField()),
                ("effective", models.DecimalField(null=True)),
                ("listed", models.DecimalField(null=True)),
                ("currency", models.CharField(max_length=3)),
                ("digest", models.BinaryField(max_length=32)),
                (
                    "bill",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.cloudbill",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["company", "day"], name="cloud_bill_line_by_day"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("billed__gt", -100000000000000000000000000000000000000),
                            ("billed__lt", 100000000000000000000000000000000000000),
                        ),
                        name="billed_is_a_finite_number",
                    ),
                ],
            },
        ),
    ]
