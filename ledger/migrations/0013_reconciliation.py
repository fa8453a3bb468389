"""Nobody held the journal to what others state; now legs are matched, doubts wait, and the read side may take an
event for what it turned out to be."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0012_cloud_bill"),
    ]

    operations = [
        migrations.CreateModel(
            name="MatchCursor",
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
                ("position", models.BigIntegerField(db_default=0, default=0)),
            ],
        ),
        migrations.CreateModel(
            name="AccountFeed",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "company_id",
                        "account_id",
                        "source",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("source", models.CharField(max_length=64)),
                ("events", models.BigIntegerField()),
                ("first_occurred_at", models.DateTimeField()),
                ("last_occurred_at", models.DateTimeField()),
                ("last_recorded_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="feeds",
                        to="ledger.account",
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
        ),
        migrations.CreateModel(
            name="EventReading",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "company_id", "event_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("event_id", models.BinaryField(max_length=32)),
                ("event_type", models.CharField(max_length=10, null=True)),
                ("category", models.CharField(max_length=255, null=True)),
                ("counterparty", models.CharField(max_length=255, null=True)),
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
            name="TransferMatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("out_position", models.BigIntegerField()),
                ("in_position", models.BigIntegerField()),
                ("origin", models.CharField(max_length=255)),
                ("matched_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, default="", max_length=255)),
                ("end_reason", models.CharField(blank=True, default="", max_length=255)),
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
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("company", "out_position"),
                        name="a_leaving_leg_has_one_match",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("company", "in_position"),
                        name="an_arriving_leg_has_one_match",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TransferLeg",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "company_id", "position", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.BigIntegerField()),
                ("event_id", models.BinaryField(max_length=32)),
                ("source", models.CharField(max_length=64)),
                ("event_type", models.CharField(max_length=10)),
                ("direction", models.CharField(max_length=3)),
                ("amount", models.DecimalField(decimal_places=6, max_digits=20)),
                ("currency", models.CharField(max_length=3)),
                ("base_amount", models.DecimalField(decimal_places=6, max_digits=20)),
                ("occurred_at", models.DateTimeField()),
                ("counterparty", models.CharField(max_length=255)),
                ("stated_rate", models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                ("reversed", models.BooleanField(db_default=False, default=False)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.account",
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
                (
                    "match",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="legs",
                        to="ledger.transfermatch",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("match", None), ("reversed", False)),
                        fields=["company", "occurred_at"],
                        name="transfer_leg_waits",
                    ),
                    models.Index(
                        condition=models.Q(("match__isnull", False)),
                        fields=["match"],
                        name="transfer_leg_of_a_match",
                    ),
                    models.Index(fields=["company", "event_id"], name="transfer_leg_of_an_event"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("twins", "Suspected twins"),
                            ("pair", "Suggested match"),
                            ("leg", "Unmatched transfer"),
                            ("break", "Broken balance"),
                        ],
                        max_length=8,
                    ),
                ),
                ("subject", models.CharField(max_length=255)),
                (
                    "positions",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list),
                ),
                ("day", models.DateField()),
                ("amount", models.DecimalField(decimal_places=6, max_digits=20)),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("accepted", "Accepted"),
                            ("dismissed", "Dismissed"),
                            ("explained", "Explained"),
                            ("closed", "Settled by itself"),
                        ],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("actor", models.CharField(blank=True, default="", max_length=255)),
                ("reason", models.CharField(blank=True, default="", max_length=255)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ledger.account",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="review_items",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "ordering": ["-day", "-id"],
                "indexes": [models.Index(fields=["company", "state", "-day", "-id"], name="review_item_by_state")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "kind", "subject"), name="a_question_is_asked_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["twins", "pair", "leg", "break"])),
                        name="review_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["open", "accepted", "dismissed", "explained", "closed"])
                        ),
                        name="review_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "explained"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="an_explanation_says_something",
                    ),
                ],
            },
        ),
    ]
