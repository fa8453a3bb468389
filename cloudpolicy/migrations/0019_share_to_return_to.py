# Spot came back at the policy's share of on-demand instances, and not at the one that the group had before.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cloudpolicy", "0018_liftings_kept_whole")]

    operations = [
        migrations.AddField(
            model_name="groupsize",
            name="on_demand_percent",
            field=models.PositiveSmallIntegerField(
                help_text="Above the base, while spot was on; empty where the group shares out nothing.", null=True
            ),
        ),
    ]
