"""Files to import came from the command line only; now people can hand them in, and their state is kept."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_journal"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=255)),
                ("size_bytes", models.BigIntegerField()),
                ("sha256", models.BinaryField(max_length=32)),
                ("format", models.CharField(max_length=32)),
                ("account", models.CharField(blank=True, max_length=64)),
                ("choices", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("checking", "Being checked"),
                            ("checked", "Checked, waits for your confirmation"),
                            ("refused", "Refused"),
                            ("waiting", "Being imported"),
                            ("done", "Imported"),
                            ("discarded", "Discarded"),
                        ],
                        default="checking",
                        max_length=10,
                    ),
                ),
                ("attempts", models.IntegerField(default=0)),
                ("lines_read", models.BigIntegerField(default=0)),
                ("preview", models.JSONField(null=True)),
                ("report", models.JSONField(null=True)),
                ("reason", models.TextField(blank=True)),
                ("actor", models.CharField(max_length=255)),
                ("uploaded_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="import_files",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "ordering": ["-uploaded_at"],
                "indexes": [
                    models.Index(fields=["company", "-uploaded_at"], name="import_file_by_company"),
                    models.Index(
                        condition=models.Q(("state__in", ["checking", "waiting"])),
                        fields=["uploaded_at"],
                        name="import_file_at_work",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["checking", "checked", "refused", "waiting", "done", "discarded"])
                        ),
                        name="import_file_state_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportChunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("number", models.IntegerField()),
                ("content", models.BinaryField()),
                (
                    "import_file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="ledger.importfile",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("import_file", "number"), name="import_chunk_number_is_unique"
                    ),
                ],
            },
        ),
    ]
