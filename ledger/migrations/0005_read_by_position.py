"""Following the journal was planned over every month each time; `0005_read_by_position.sql` plans it once."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0004_import_file"),
    ]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"),
            reverse_sql="DROP FUNCTION ledger_journal_between(bigint, bigint, bigint)",
        ),
    ]
