import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cloudpolicy", "0011_scores_stay"),
        ("ledger", "0001_tenants"),
    ]

    operations = [
        migrations.CreateModel(
            name="GroupsSeen",
            fields=[
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="groups_seen",
                        serialize=False,
                        to="ledger.company",
                    ),
                ),
                ("groups", models.JSONField(default=list)),
                ("seen_at", models.DateTimeField()),
            ],
        ),
    ]
