# The cheapest steps to a wanted p5 could be read and not carried out; now they are a plan that says what it is for.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cloudpolicy", "0013_groups_seen")]

    operations = [
        migrations.AddField(
            model_name="scalingplan",
            name="wanted_p5_days",
            field=models.PositiveIntegerField(null=True),
        ),
    ]
