"""A single event was written at the price of a batch; `0006_one_event.sql` writes it at its own."""

from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0005_read_by_position"),
    ]

    operations = [
        migrations.AddField(
            model_name="company",
            name="books_version",
            field=models.BigIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")),
    ]
