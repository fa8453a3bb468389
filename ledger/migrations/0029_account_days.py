"""A page of the books read every vendor's days and looked through the journal; `0029_account_days.sql` says how not.

What is rare in the journal has an index that holds nothing else, built while others record. Cut off, it goes on.
"""

from pathlib import Path
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from ledger.services.partition_indexes import JournalIndex, build, drop

INDEXES = (
    JournalIndex("ledger_capitalevent_refunds", "(company_id, source, occurred_at) WHERE metadata ? 'refund_of'"),
    JournalIndex("ledger_capitalevent_payroll_tax", "(company_id, occurred_at) WHERE category = 'payroll_tax'"),
)


def make_account_days(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("ledger", "AccountDay")
    connection = schema_editor.connection
    if model._meta.db_table in connection.introspection.table_names():
        return
    # One of its own: what it defers is done by the end of this transaction.
    with connection.schema_editor() as editor:
        editor.create_model(model)
    with connection.cursor() as cursor:
        cursor.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def drop_account_days(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("DROP INDEX IF EXISTS ledger_dailyflow_rare")
    schema_editor.execute("DROP TABLE IF EXISTS ledger_accountday")


def build_indexes(_apps: Any, _schema_editor: Any) -> None:
    for index in INDEXES:
        build(index)


def drop_indexes(_apps: Any, _schema_editor: Any) -> None:
    for index in INDEXES:
        drop(index)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("ledger", "0028_customer_balances"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="AccountDay",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "company_id",
                                "account_id",
                                "currency",
                                "day",
                                "event_type",
                                "direction",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("currency", models.CharField(max_length=3)),
                        ("day", models.DateField()),
                        ("event_type", models.CharField(max_length=10)),
                        ("direction", models.CharField(max_length=3)),
                        ("amount", models.DecimalField(decimal_places=6, max_digits=30)),
                        ("base_amount", models.DecimalField(decimal_places=6, max_digits=30)),
                        ("count", models.IntegerField()),
                        (
                            "account",
                            models.ForeignKey(
                                db_constraint=False,
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
                    ],
                ),
            ]
        ),
        migrations.RunPython(make_account_days, drop_account_days, atomic=True),
        migrations.RunPython(build_indexes, drop_indexes),
    ]
