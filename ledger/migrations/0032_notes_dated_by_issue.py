"""A credit note that is dated back seemed to be in a balance before it was; the day of its issue is kept now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0031_versions_of_daily_sums"),
    ]

    operations = [
        migrations.AddField(model_name="creditnote", name="issued_on", field=models.DateField(null=True)),
    ]
