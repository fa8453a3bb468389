"""Deliveries did not add up item by item, and no event named its delivery; `0018_provenance.sql` guards the links."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0017_drain_without_downtime"),
    ]

    operations = [
        migrations.CreateModel(
            name="PlaidWalk",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("items", models.IntegerField(null=True)),
                ("recorded", models.IntegerField(default=0)),
                ("corrected", models.IntegerField(default=0)),
                ("duplicate", models.IntegerField(default=0)),
                ("taken_back", models.IntegerField(db_default=0, default=0)),
                ("stated", models.IntegerField(db_default=0, default=0)),
                ("ignored", models.IntegerField(db_default=0, default=0)),
                ("rejected", models.IntegerField(default=0)),
                ("ended_at", models.DateTimeField()),
                ("pages", models.IntegerField()),
                ("pending", models.IntegerField()),
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
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="walks", to="ledger.plaiditem"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("items", None),
                            (
                                "items",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    django.db.models.expressions.CombinedExpression(
                                                        models.F("recorded"), "+", models.F("corrected")
                                                    ),
                                                    "+",
                                                    models.F("duplicate"),
                                                ),
                                                "+",
                                                models.F("taken_back"),
                                            ),
                                            "+",
                                            models.F("stated"),
                                        ),
                                        "+",
                                        models.F("ignored"),
                                    ),
                                    "+",
                                    models.F("rejected"),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="plaid_walk_items_add_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Provenance",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "company_id",
                        "first_position",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("first_position", models.BigIntegerField()),
                ("last_position", models.BigIntegerField()),
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
                    "delivery",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.delivery",
                    ),
                ),
                (
                    "import_file",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.importfile",
                    ),
                ),
                (
                    "walk",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.plaidwalk",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("delivery__isnull", False)),
                        fields=["delivery", "first_position"],
                        name="provenance_by_delivery",
                    ),
                    models.Index(
                        condition=models.Q(("walk__isnull", False)),
                        fields=["walk", "first_position"],
                        name="provenance_by_walk",
                    ),
                    models.Index(
                        condition=models.Q(("import_file__isnull", False)),
                        fields=["import_file", "first_position"],
                        name="provenance_by_import_file",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first_position__gt", 0), ("last_position__gte", models.F("first_position"))
                        ),
                        name="provenance_has_events",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("delivery__isnull", False), ("import_file", None), ("walk", None)),
                            models.Q(("delivery", None), ("import_file", None), ("walk__isnull", False)),
                            models.Q(("delivery", None), ("import_file__isnull", False), ("walk", None)),
                            _connector="OR",
                        ),
                        name="provenance_names_one_thing",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="delivery",
            name="ignored",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="delivery",
            name="items",
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="stated",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="delivery",
            name="taken_back",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("items", None),
                    (
                        "items",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                models.F("recorded"), "+", models.F("corrected")
                                            ),
                                            "+",
                                            models.F("duplicate"),
                                        ),
                                        "+",
                                        models.F("taken_back"),
                                    ),
                                    "+",
                                    models.F("stated"),
                                ),
                                "+",
                                models.F("ignored"),
                            ),
                            "+",
                            models.F("rejected"),
                        ),
                    ),
                    _connector="OR",
                ),
                name="delivery_items_add_up",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")),
    ]
