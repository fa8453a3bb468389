"""Whether the chain holds was known only to who recomputed it; this keeps the verifier's latest verdict."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0023_balances_of_an_instant"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChainVerdict",
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
                ("verified_at", models.DateTimeField()),
                ("took_seconds", models.FloatField()),
                ("position", models.BigIntegerField()),
                ("sealed", models.BigIntegerField()),
                ("exported", models.BigIntegerField()),
                ("broken_at", models.BigIntegerField(null=True)),
                ("kind", models.CharField(blank=True, max_length=16)),
                ("detail", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("broken_at__isnull", True), ("detail", ""), ("kind", ""))
                        | (
                            models.Q(("broken_at__isnull", False))
                            & models.Q(("kind", ""), _negated=True)
                            & models.Q(("detail", ""), _negated=True)
                        ),
                        name="a_broken_chain_says_how",
                    )
                ],
            },
        ),
    ]
