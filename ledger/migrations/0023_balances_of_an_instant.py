"""A balance asked for at noon was taken for that of the day's end; now a statement can say at which instant it held."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0022_split_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="balancestatement",
            name="as_of",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
