"""What was credited on a paid invoice was earned all the same; credit notes are kept now, periods name invoices."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0019_revisions_by_key"),
    ]

    operations = [
        migrations.AddField(
            model_name="serviceperiod",
            name="document",
            field=models.CharField(blank=True, default="", max_length=255),
        ),
        migrations.CreateModel(
            name="CreditNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("source", models.CharField(max_length=64)),
                ("external_ref", models.CharField(max_length=255)),
                ("document", models.CharField(max_length=255)),
                ("currency", models.CharField(max_length=3)),
                ("day", models.DateField()),
                ("lines", models.JSONField(default=list)),
                ("refunds", models.JSONField(default=list)),
                ("to_balance", models.DecimalField(decimal_places=6, max_digits=20)),
                ("out_of_band", models.DecimalField(decimal_places=6, max_digits=20)),
                ("revision", models.IntegerField()),
                ("recorded_at", models.DateTimeField()),
                ("actor", models.CharField(max_length=255)),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credit_notes",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["company", "source", "external_ref", "revision"],
                        name="one_credit_note_per_reference_and_revision",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("to_balance__gte", 0),
                            ("to_balance__lt", 10**14),
                            ("out_of_band__gte", 0),
                            ("out_of_band__lt", 10**14),
                        ),
                        name="credit_note_amounts_are_finite",
                    ),
                ],
            },
        ),
    ]
