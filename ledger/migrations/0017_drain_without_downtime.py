"""Draining the DEFAULT partition stopped the journal; `0017_drain_without_downtime.sql` copies beside it."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0016_closed_months"),
    ]

    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")),
    ]
