"""Nothing kept events out of reported months; this adds closings, `0016_closed_months.sql` enforces them."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0015_seals"),
    ]

    operations = [
        migrations.AddField(
            model_name="company",
            name="adjustment_limit",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="Adjustments by hand above it wait for a second person's approval. Empty: none do.",
                max_digits=20,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="journalhead",
            name="has_closed_months",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.CreateModel(
            name="ClosedMonthEntry",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "company_id", "event_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("event_id", models.BinaryField(max_length=32)),
                ("month", models.DateField()),
                ("reason", models.CharField(max_length=255)),
                ("actor", models.CharField(max_length=255)),
                ("recorded_at", models.DateTimeField()),
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
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="closed_month_entry_has_a_reason"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MonthClosing",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("month", models.DateField()),
                ("closed", models.BooleanField()),
                ("reason", models.CharField(max_length=255)),
                ("actor", models.CharField(max_length=255)),
                ("recorded_at", models.DateTimeField()),
                ("position", models.BigIntegerField(db_default=0, editable=False)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="month_closings",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "verbose_name": "closed month",
                "indexes": [models.Index(fields=["company", "month", "-id"], name="month_closing_by_month")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)), name="closed_month_begins_on_the_first"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="closing_has_a_reason"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PendingAdjustment",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("direction", models.CharField(choices=[("in", "In"), ("out", "Out")], max_length=3)),
                ("amount", models.DecimalField(decimal_places=6, max_digits=20)),
                ("currency", models.CharField(max_length=3)),
                ("base_amount", models.DecimalField(decimal_places=6, max_digits=20)),
                ("occurred_at", models.DateTimeField()),
                ("category", models.CharField(blank=True, max_length=255)),
                ("counterparty", models.CharField(blank=True, max_length=255)),
                ("reason", models.CharField(max_length=255)),
                ("into_closed_month", models.BooleanField(default=False)),
                ("requested_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits for a second person"),
                            ("approved", "Approved and recorded"),
                            ("rejected", "Rejected"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decision_reason", models.CharField(blank=True, max_length=255)),
                ("event_id", models.BinaryField(max_length=32, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.account"
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pending_adjustments",
                        to="ledger.company",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-requested_at"],
                "indexes": [
                    models.Index(fields=["company", "state", "-requested_at"], name="pending_adjustment_by_state")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "approved", "rejected"])),
                        name="pending_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="nobody_approves_their_own_adjustment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                                ("event_id__isnull", True),
                                ("state", "waiting"),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("event_id__isnull", False),
                                ("state", "approved"),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("event_id__isnull", True),
                                ("state", "rejected"),
                            ),
                            _connector="OR",
                        ),
                        name="a_decision_has_a_person_and_a_time",
                    ),
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")),
    ]
