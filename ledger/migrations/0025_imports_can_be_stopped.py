"""Nobody could stop an import and let it go on, and a killed worker's job kept others away from its file for an hour.

This adds the state between, how much is recorded, and a count of claims that names each job anew.
"""

from django.db import migrations, models

STATES = {
    "checking": "Being checked",
    "checked": "Checked, waits for your confirmation",
    "refused": "Refused",
    "waiting": "Being imported",
    "stopped": "Stopped",
    "done": "Imported",
    "discarded": "Discarded",
}


class Migration(migrations.Migration):
    dependencies = [("ledger", "0024_chain_verdict")]

    operations = [
        migrations.RemoveConstraint(model_name="importfile", name="import_file_state_is_known"),
        migrations.AddField(model_name="importfile", name="recorded", field=models.BigIntegerField(default=0)),
        migrations.AddField(model_name="importfile", name="claims", field=models.IntegerField(default=0)),
        migrations.AlterField(
            model_name="importfile",
            name="state",
            field=models.CharField(max_length=10, choices=list(STATES.items()), default="checking"),
        ),
        migrations.AddConstraint(
            model_name="importfile",
            constraint=models.CheckConstraint(
                condition=models.Q(state__in=list(STATES)), name="import_file_state_is_known"
            ),
        ),
    ]
