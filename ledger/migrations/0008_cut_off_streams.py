"""A stream that was cut off looks like one that ended; its length is kept now, so that the whole one is recognised."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0007_new_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="storedanswer",
            name="chunked_bytes",
            field=models.BigIntegerField(null=True),
        ),
    ]
