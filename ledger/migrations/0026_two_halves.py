"""A batch of new events was one long statement; `0026_two_halves.sql` makes two of it, so that batches overlap."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0025_imports_can_be_stopped"),
    ]

    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")),
    ]
