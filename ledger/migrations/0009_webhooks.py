"""Providers had no address to send to, and nothing kept what they send; now both have tables, service periods too."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0008_cut_off_streams"),
    ]

    operations = [
        migrations.CreateModel(
            name="ObjectStatement",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "company_id",
                        "source",
                        "external_ref",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("source", models.CharField(max_length=64)),
                ("external_ref", models.CharField(max_length=255)),
                ("said_at", models.DateTimeField()),
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
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("provider", models.CharField(max_length=32)),
                ("endpoint_id", models.CharField(max_length=64, unique=True)),
                ("name", models.CharField(max_length=100)),
                ("accounts", models.JSONField(blank=True, default=dict)),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("credentials", models.BinaryField(default=b"")),
                ("cursor", models.JSONField(blank=True, default=dict)),
                ("enabled", models.BooleanField(default=True)),
                ("actor", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="endpoints",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "provider", "name"), name="endpoint_name_is_unique_in_company"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EndpointSecret",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("sealed", models.BinaryField()),
                ("added_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="secrets",
                        to="ledger.webhookendpoint",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["company", "endpoint", "-added_at"], name="secret_by_endpoint"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("received_at", models.DateTimeField()),
                ("body", models.BinaryField()),
                ("size_bytes", models.IntegerField()),
                ("sha256", models.BinaryField(max_length=32)),
                ("headers", models.JSONField(default=dict)),
                (
                    "verdict",
                    models.CharField(choices=[("verified", "Verified"), ("refused", "Refused")], max_length=8),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits for a worker"),
                            ("done", "Recorded"),
                            ("ignored", "Ignored on purpose"),
                            ("quarantined", "Needs a look"),
                            ("refused", "Refused"),
                        ],
                        max_length=11,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("recorded", models.IntegerField(default=0)),
                ("duplicate", models.IntegerField(default=0)),
                ("corrected", models.IntegerField(default=0)),
                ("rejected", models.IntegerField(default=0)),
                ("attempts", models.IntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="ledger.company",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="ledger.webhookendpoint",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "ordering": ["-received_at"],
                "indexes": [
                    models.Index(fields=["company", "-received_at"], name="delivery_by_company"),
                    models.Index(
                        fields=["company", "endpoint", "state", "-received_at"], name="delivery_by_endpoint"
                    ),
                    models.Index(
                        condition=models.Q(("state", "waiting")), fields=["due_at"], name="delivery_waiting"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "done", "ignored", "quarantined", "refused"])
                        ),
                        name="delivery_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "refused"), ("verdict", "refused")),
                            models.Q(("verdict", "verified"), models.Q(("state", "refused"), _negated=True)),
                            _connector="OR",
                        ),
                        name="delivery_state_fits_verdict",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServicePeriod",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("source", models.CharField(max_length=64)),
                ("external_ref", models.CharField(max_length=255)),
                ("line", models.CharField(max_length=255)),
                ("amount", models.DecimalField(decimal_places=6, max_digits=20)),
                ("currency", models.CharField(max_length=3)),
                ("start", models.DateField()),
                ("end", models.DateField()),
                ("revision", models.IntegerField()),
                ("recorded_at", models.DateTimeField()),
                ("actor", models.CharField(max_length=255)),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="service_periods",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "source", "external_ref", "line", "revision"),
                        name="one_service_period_per_line_and_revision",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0), ("amount__lt", 100000000000000)),
                        name="service_period_amount_is_finite",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("end__gt", models.F("start"))), name="service_period_has_days"
                    ),
                ],
            },
        ),
    ]
