"""Each single event paid for a statement and a commit of its own; `0027_group_commit.sql` writes several in one."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0026_two_halves"),
    ]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"),
            "DROP FUNCTION ledger_record_few(bigint, bigint, timestamptz, text[], json)",
        ),
    ]
