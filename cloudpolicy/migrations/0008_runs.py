# A plan could be kept and not acted on: approvals, runs with the journal of their steps, and the switch that stops them.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cloudpolicy", "0007_policy_versions_stay"),
        ("ledger", "0026_two_halves"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KillSwitchTurn",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("on", models.BooleanField()),
                ("actor", models.CharField(max_length=255)),
                ("reason", models.CharField(max_length=500)),
                ("turned_at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="kill_switch_turns",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["company", "-id"], name="kill_switch_newest_first"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanApproval",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("digest", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[("person", "A person"), ("token", "A token"), ("policy", "The policy")],
                        max_length=6,
                    ),
                ),
                ("actor", models.CharField(max_length=255)),
                ("reason", models.CharField(max_length=500)),
                ("approved_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan_approvals",
                        to="ledger.company",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approvals",
                        to="cloudpolicy.scalingplan",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan_approvals",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "person"), ("user__isnull", False)),
                            models.Q(models.Q(("kind", "person"), _negated=True), ("user__isnull", True)),
                            _connector="OR",
                        ),
                        name="plan_approval_of_a_person_names_them",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("approved_at"))),
                        name="plan_approval_ends_after_it_begins",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScalingRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("kind", models.CharField(choices=[("apply", "Apply"), ("rollback", "Roll back")], max_length=8)),
                ("calls", models.JSONField(null=True)),
                ("actor", models.CharField(max_length=255)),
                ("reason", models.CharField(max_length=500)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Under way"),
                            ("done", "Done"),
                            ("partly", "Partly done"),
                            ("stopped", "Stopped before anything was changed"),
                        ],
                        default="open",
                        max_length=7,
                    ),
                ),
                ("outcome", models.CharField(blank=True, max_length=500)),
                ("started_at", models.DateTimeField()),
                ("resume_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scaling_runs",
                        to="ledger.company",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="cloudpolicy.scalingplan",
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="cloudpolicy.scalingrun",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["company", "-id"], name="scaling_run_newest_first"),
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["resume_at"], name="scaling_run_to_resume"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")), fields=("company",), name="one_open_run_per_company"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["open", "done"])),
                        fields=("undoes",),
                        name="a_run_is_taken_back_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("resume_at__isnull", False), ("state", "open")),
                            models.Q(
                                models.Q(("state", "open"), _negated=True),
                                ("ended_at__isnull", False),
                                ("resume_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="scaling_run_is_open_or_ended",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "apply"), ("undoes__isnull", True)),
                            models.Q(("kind", "rollback"), ("undoes__isnull", False)),
                            _connector="OR",
                        ),
                        name="only_a_roll_back_undoes_a_run",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StepEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("line", models.PositiveIntegerField()),
                ("step", models.PositiveIntegerField()),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("intent", "About to ask"),
                            ("made", "Asked, and answered"),
                            ("found_made", "Found to be made, by looking"),
                            ("not_made", "Found not to be made, by looking"),
                            ("put_off", "To be asked again later"),
                            ("there", "There"),
                            ("already", "Was there already"),
                            ("refused", "Refused"),
                            ("changed", "Changed by somebody else"),
                            ("late", "Not there in time"),
                        ],
                        max_length=10,
                    ),
                ),
                ("content", models.JSONField(default=dict)),
                ("text", models.CharField(blank=True, max_length=400)),
                ("at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="journal",
                        to="cloudpolicy.scalingrun",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("run", "line"), name="step_entries_of_a_run_are_numbered"),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="groupsize",
            name="one_size_to_return_to_per_group",
        ),
        migrations.AddField(
            model_name="groupsize",
            name="account",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="groupsize",
            name="restored_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="restored_sizes",
                to="cloudpolicy.scalingrun",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupsize",
            constraint=models.UniqueConstraint(
                condition=models.Q(("restored_at__isnull", True)),
                fields=("company", "account", "region", "group"),
                name="one_size_to_return_to_per_group",
            ),
        ),
    ]
