"""An import that broke off began anew, a bank's number of an account was forgotten, and so were a CSV's columns."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0010_plaid_items"),
    ]

    operations = [
        migrations.AddField(
            model_name="importfile",
            name="bytes_read",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importfile",
            name="bytes_total",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importfile",
            name="mapping",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.CreateModel(
            name="AccountNumber",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("fingerprint", models.BinaryField(max_length=32)),
                ("ending", models.CharField(max_length=4)),
                ("created_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="numbers", to="ledger.account"
                    ),
                ),
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
                    models.UniqueConstraint(fields=("company", "fingerprint"), name="one_account_per_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportCheckpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("digest", models.BinaryField(max_length=32)),
                ("done", models.BigIntegerField()),
                ("report", models.JSONField()),
                ("updated_at", models.DateTimeField()),
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
                    models.UniqueConstraint(fields=("company", "digest"), name="one_checkpoint_per_file")
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedMapping",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=64)),
                ("header", models.JSONField()),
                ("header_digest", models.BinaryField(max_length=32)),
                ("choices", models.JSONField()),
                ("account", models.CharField(blank=True, max_length=64)),
                ("actor", models.CharField(max_length=255)),
                ("saved_at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_mappings",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "verbose_name": "CSV mapping",
                "constraints": [
                    models.UniqueConstraint(fields=("company", "name"), name="mapping_name_is_unique_in_company"),
                    models.UniqueConstraint(fields=("company", "header_digest"), name="one_mapping_per_header"),
                ],
            },
        ),
    ]
