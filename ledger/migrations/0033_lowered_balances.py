"""What staff change of a customer's balance by hand was noticed at the next invoice only; it is kept as it is told."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0032_notes_dated_by_issue"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoweredBalance",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("source", models.CharField(max_length=64)),
                ("customer", models.CharField(max_length=255)),
                ("currency", models.CharField(max_length=3)),
                ("at", models.DateTimeField()),
                ("before", models.DecimalField(decimal_places=6, max_digits=20)),
                ("after", models.DecimalField(decimal_places=6, max_digits=20)),
                ("recorded_at", models.DateTimeField()),
                ("actor", models.CharField(max_length=255)),
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
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "source", "customer", "currency", "at", "before", "after"),
                        name="one_lowered_balance_per_instant_and_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("after__gte", 0), ("after__lt", models.F("before")), ("before__lt", 100000000000000)
                        ),
                        name="lowered_balance_is_less_than_before",
                    ),
                ],
            },
        ),
    ]
