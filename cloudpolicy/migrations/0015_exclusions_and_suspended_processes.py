# What a person took back was planned again at once, and the policy resumed processes that it had not suspended; both are remembered now.

import django.db.models.deletion
from django.db import migrations, models


def note_suspended(apps, _editor):
    """Read from the journals of runs which processes stand still because of a plan: what was made, in its order."""
    made = apps.get_model("cloudpolicy", "StepEntry").objects.filter(phase__in=["made", "found_made"])
    process_of = apps.get_model("cloudpolicy", "SuspendedProcess")
    for run in apps.get_model("cloudpolicy", "ScalingRun").objects.order_by("id").iterator():
        for entry in made.filter(run=run).order_by("line"):
            call = run.calls[entry.step]
            if call["action"] not in ("suspend_processes", "resume_processes"):
                continue
            for process, before in call["before"].items():
                place = {
                    "company_id": run.company_id,
                    "account": call.get("account", ""),
                    "region": call["region"],
                    "group": call["group"],
                    "process": process,
                }
                if call["after"][process] == "runs":
                    process_of.objects.filter(**place, released_at=None).update(released_at=entry.at)
                elif before == "runs":
                    values = {"plan_id": run.plan_id, "suspended_at": entry.at}
                    process_of.objects.get_or_create(**place, released_at=None, defaults=values)


class Migration(migrations.Migration):
    dependencies = [
        ("cloudpolicy", "0014_wanted_runway"),
        ("ledger", "0032_notes_dated_by_issue"),
    ]

    operations = [
        migrations.CreateModel(
            name="Exclusion",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("account", models.CharField(blank=True, default="", max_length=64)),
                ("region", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=255)),
                ("only_growth", models.BooleanField(default=False)),
                ("actor", models.CharField(max_length=255)),
                ("because", models.CharField(max_length=500)),
                ("made_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                ("lifted_by", models.CharField(blank=True, default="", max_length=255)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="exclusions", to="ledger.company"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exclusions",
                        to="cloudpolicy.scalingplan",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("company", "account", "region", "name"),
                        name="one_exclusion_per_place",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("made_at"))), name="an_exclusion_has_an_end"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SuspendedProcess",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("account", models.CharField(blank=True, default="", max_length=64)),
                ("region", models.CharField(max_length=32)),
                ("group", models.CharField(max_length=255)),
                ("process", models.CharField(max_length=32)),
                ("suspended_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="suspended_processes",
                        to="ledger.company",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="suspended_processes",
                        to="cloudpolicy.scalingplan",
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resumed_processes",
                        to="cloudpolicy.scalingrun",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("released_at__isnull", True)),
                        fields=("company", "account", "region", "group", "process"),
                        name="a_process_is_suspended_once",
                    )
                ],
            },
        ),
        migrations.RunPython(note_suspended, migrations.RunPython.noop, elidable=True),
    ]
