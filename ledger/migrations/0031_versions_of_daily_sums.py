"""Nobody could tell whether the daily sums had changed since they were last read: the cursor's position says nothing
of events that are read otherwise. Now a version moves with each change."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0030_reversals_by_event")]

    operations = [
        migrations.AddField("dailyflowcursor", "version", models.BigIntegerField(default=0, db_default=0)),
    ]
