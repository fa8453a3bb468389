# Bills name a database by its whole ARN, for which there was no room: its savings could not be held against them.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cloudpolicy", "0015_exclusions_and_suspended_processes")]

    operations = [
        migrations.AlterField(
            model_name="groupinstance",
            name="instance",
            field=models.CharField(max_length=255),
        ),
    ]
