"""What takes an event back was looked for among all events of its source, type and instant: for a file whose lines
carry a day and no time, among all lines of that day, once for each of them. Reversals have an index of their own now,
built while others record.
"""

from typing import Any

from django.db import migrations

from ledger.services.partition_indexes import JournalIndex, build, drop

REVERSES = JournalIndex("ledger_capitalevent_reverses", "(company_id, reverses) WHERE reverses IS NOT NULL")


def build_index(_apps: Any, _schema_editor: Any) -> None:
    build(REVERSES)


def drop_index(_apps: Any, _schema_editor: Any) -> None:
    drop(REVERSES)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("ledger", "0029_account_days"),
    ]

    operations = [
        migrations.RunPython(build_index, drop_index),
    ]
