# A step had no price: prices that people enter, what plans were found to be worth, and what bills say afterwards.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cloudpolicy", "0009_runs_stay"),
        ("ledger", "0027_group_commit"),
    ]

    operations = [
        migrations.CreateModel(
            name="CostFigure",
            fields=[
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="cost_figure",
                        serialize=False,
                        to="ledger.company",
                    ),
                ),
                ("start", models.DateField(null=True)),
                ("stop", models.DateField(null=True)),
                ("currency", models.CharField(max_length=3)),
                ("cost", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ("saved", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ("because", models.CharField(blank=True, max_length=400)),
                ("looked_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="GroupInstance",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("account", models.CharField(blank=True, default="", max_length=64)),
                ("region", models.CharField(max_length=32)),
                ("group", models.CharField(max_length=255)),
                ("instance", models.CharField(max_length=64)),
                ("instance_type", models.CharField(blank=True, default="", max_length=64)),
                ("first_seen", models.DateTimeField()),
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
                        fields=("company", "account", "region", "group", "instance"),
                        name="group_instance_is_noted_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InstancePrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("account", models.CharField(blank=True, default="", max_length=64)),
                ("region", models.CharField(max_length=32)),
                ("instance_type", models.CharField(blank=True, default="", max_length=64)),
                ("group", models.CharField(blank=True, default="", max_length=255)),
                (
                    "market",
                    models.CharField(
                        choices=[("on_demand", "On demand"), ("spot", "Spot")], default="on_demand", max_length=9
                    ),
                ),
                ("per_hour", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ("currency", models.CharField(max_length=3)),
                ("actor", models.CharField(max_length=255)),
                ("because", models.CharField(max_length=500)),
                ("entered_at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="instance_prices",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["company", "-id"], name="instance_price_newest_first")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("instance_type", ""), ("group", ""), _connector="XOR"),
                        name="instance_price_is_of_a_type_or_a_group",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("per_hour__isnull", True),
                            models.Q(("per_hour__gt", 0), ("per_hour__lt", 100000000000000)),
                            _connector="OR",
                        ),
                        name="instance_price_is_positive_and_finite",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("market__in", ["on_demand", "spot"])),
                        name="instance_price_market_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanPrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("priced_at", models.DateTimeField()),
                ("prices", models.CharField(max_length=64)),
                ("currency", models.CharField(max_length=3)),
                ("credit_share", models.DecimalField(decimal_places=6, default=0, max_digits=7)),
                ("monthly_saving", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ("base_p5_days", models.PositiveIntegerField(null=True)),
                ("p5_days", models.PositiveIntegerField(null=True)),
                ("calls", models.JSONField(default=list)),
                ("curve", models.JSONField(default=list)),
                ("because", models.CharField(blank=True, max_length=500)),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan_prices",
                        to="ledger.company",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prices",
                        to="cloudpolicy.scalingplan",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["company", "plan", "-id"], name="plan_price_newest_first")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("base_p5_days__isnull", True), ("because", ""), _connector="OR"),
                        name="plan_price_has_days_or_a_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SavingScore",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("after_days", models.PositiveIntegerField()),
                ("band", models.CharField(blank=True, max_length=64)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("delivered", "Delivered"),
                            ("short", "Less than half of it"),
                            ("overtaken", "The groups were changed again"),
                            ("unbilled", "No bill speaks of the groups"),
                            ("unpriced", "Nothing was predicted"),
                        ],
                        max_length=9,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("predicted", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ("billed", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ("predicted_days", models.FloatField(null=True)),
                ("billed_days", models.FloatField(null=True)),
                ("adjusted_by", models.DecimalField(decimal_places=4, max_digits=9, null=True)),
                ("method", models.CharField(blank=True, max_length=16)),
                ("text", models.CharField(blank=True, max_length=500)),
                ("scored_at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="saving_scores",
                        to="ledger.company",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="saving_scores",
                        to="cloudpolicy.scalingrun",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["company", "-id"], name="saving_score_newest_first")],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "after_days"), name="a_run_is_scored_once_per_window"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verdict__in", ["delivered", "short"]), _negated=True),
                            models.Q(("billed__isnull", False), ("predicted__isnull", False)),
                            _connector="OR",
                        ),
                        name="saving_score_judges_two_figures",
                    ),
                ],
            },
        ),
    ]
