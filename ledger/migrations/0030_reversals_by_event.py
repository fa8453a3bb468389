"""What takes an event back was looked for among all events of its source, type and instant: for a file whose lines
carry a day and no time, among all lines of that day, once for each of them. Reversals have an index of their own now.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0029_account_days"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX ledger_capitalevent_reverses ON ledger_capitalevent (company_id, reverses)"
            " WHERE reverses IS NOT NULL",
            "DROP INDEX ledger_capitalevent_reverses",
        ),
    ]
