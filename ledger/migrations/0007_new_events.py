"""A batch of new events was written at the price of one with repeats; `0007_new_events.sql` writes it at its own."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0006_one_event"),
    ]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"),
            reverse_sql="DROP FUNCTION ledger_record_new(bigint, text, timestamptz, text)",
        ),
    ]
