"""An event could be one thing alone; now it may be read as parts, each of which may be a side of a transfer."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0020_credit_notes"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventSplit",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("position", models.BigIntegerField()),
                ("event_id", models.BinaryField(max_length=32)),
                ("is_batch", models.BooleanField()),
                ("origin", models.CharField(max_length=255)),
                ("split_at", models.DateTimeField()),
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
                        fields=("company", "position"),
                        name="an_event_is_split_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EventPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("event_id", models.BinaryField(max_length=32)),
                ("part", models.SmallIntegerField()),
                ("amount", models.DecimalField(decimal_places=6, max_digits=20)),
                ("base_amount", models.DecimalField(decimal_places=6, max_digits=20)),
                ("event_type", models.CharField(max_length=10, null=True)),
                ("category", models.CharField(max_length=255, null=True)),
                ("counterparty", models.CharField(max_length=255, null=True)),
                ("in_force", models.BooleanField(db_default=True, default=True)),
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
                    "split",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="ledger.eventsplit",
                    ),
                ),
            ],
            options={
                "ordering": ["split", "part"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("in_force", True)),
                        fields=("company", "event_id", "part"),
                        name="one_part_per_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), ("base_amount__gte", 0)), name="a_part_is_positive"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="transferleg",
            name="part",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="transferleg",
            name="is_split",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunSQL(
            sql="""
                ALTER TABLE ledger_transferleg DROP CONSTRAINT ledger_transferleg_pkey,
                    ADD PRIMARY KEY (company_id, position, part)
            """,
            reverse_sql="""
                ALTER TABLE ledger_transferleg DROP CONSTRAINT ledger_transferleg_pkey,
                    ADD PRIMARY KEY (company_id, position)
            """,
            state_operations=[
                migrations.AlterField(
                    model_name="transferleg",
                    name="pk",
                    field=models.CompositePrimaryKey(
                        "company_id",
                        "position",
                        "part",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint(model_name="transfermatch", name="a_leaving_leg_has_one_match"),
        migrations.RemoveConstraint(model_name="transfermatch", name="an_arriving_leg_has_one_match"),
        migrations.AddField(
            model_name="transfermatch",
            name="out_part",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="transfermatch",
            name="in_part",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddConstraint(
            model_name="transfermatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("company", "out_position", "out_part"),
                name="a_leaving_leg_has_one_match",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfermatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("company", "in_position", "in_part"),
                name="an_arriving_leg_has_one_match",
            ),
        ),
        migrations.RemoveConstraint(model_name="reviewitem", name="review_kind_is_known"),
        migrations.AlterField(
            model_name="reviewitem",
            name="kind",
            field=models.CharField(
                choices=[
                    ("twins", "Suspected twins"),
                    ("pair", "Suggested match"),
                    ("batch", "Suggested batch"),
                    ("leg", "Unmatched transfer"),
                    ("break", "Broken balance"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["twins", "pair", "batch", "leg", "break"])),
                name="review_kind_is_known",
            ),
        ),
    ]
