# A process that a plan had suspended could not be kept so by a person: now who left it suspended, and why, has a place.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cloudpolicy", "0016_names_of_databases")]

    operations = [
        migrations.AddField(
            model_name="suspendedprocess",
            name="left_because",
            field=models.CharField(blank=True, default="", max_length=800),
        ),
    ]
