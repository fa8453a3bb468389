"""What customers have paid beforehand was owed for good; what invoices use of it is kept now."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0027_group_commit"),
    ]

    operations = [
        migrations.CreateModel(
            name="SettledInvoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("source", models.CharField(max_length=64)),
                ("document", models.CharField(max_length=255)),
                ("customer", models.CharField(max_length=255)),
                ("currency", models.CharField(max_length=3)),
                ("at", models.DateTimeField()),
                ("payment", models.CharField(blank=True, max_length=255)),
                ("paid", models.DecimalField(decimal_places=6, max_digits=20)),
                ("overpaid_by", models.CharField(blank=True, max_length=255)),
                ("overpaid", models.DecimalField(decimal_places=6, max_digits=20)),
                ("before", models.DecimalField(decimal_places=6, max_digits=20)),
                ("used", models.DecimalField(decimal_places=6, max_digits=20)),
                ("lines", models.JSONField(default=list)),
                ("revision", models.IntegerField()),
                ("recorded_at", models.DateTimeField()),
                ("actor", models.CharField(max_length=255)),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="settled_invoices",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "source", "document", "revision"),
                        name="one_settled_invoice_per_document_and_revision",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("paid__gte", 0),
                            ("paid__lt", 100000000000000),
                            ("overpaid__gte", 0),
                            ("overpaid__lt", 100000000000000),
                            ("before__lt", 100000000000000),
                            ("used__gte", 0),
                            ("used__lte", models.F("before")),
                        ),
                        name="settled_invoice_amounts_are_finite",
                    ),
                ],
            },
        ),
    ]
