# What a plan stopped could not be told from what its owner had stopped; now it is kept, so that only the former runs again.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cloudpolicy", "0013_groups_seen"),
        ("ledger", "0027_group_commit"),
    ]

    operations = [
        migrations.CreateModel(
            name="HeldResource",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("action", models.CharField(max_length=64)),
                ("account", models.CharField(blank=True, default="", max_length=64)),
                ("region", models.CharField(max_length=32)),
                ("resource", models.CharField(max_length=255)),
                ("call", models.JSONField()),
                ("before", models.JSONField()),
                ("held_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="held_resources",
                        to="ledger.company",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="held_resources",
                        to="cloudpolicy.scalingplan",
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="released_resources",
                        to="cloudpolicy.scalingrun",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("released_at__isnull", True)),
                        fields=("company", "action", "account", "region", "resource"),
                        name="one_hold_per_resource",
                    )
                ],
            },
        ),
    ]
