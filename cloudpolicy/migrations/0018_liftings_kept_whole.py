# Why somebody lifted an exclusion was cut at 255 characters, who it was included: a reason has room for all of its 500 now.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cloudpolicy", "0017_left_suspended")]

    operations = [
        migrations.AlterField(
            model_name="exclusion",
            name="lifted_by",
            field=models.CharField(blank=True, default="", max_length=800),
        ),
    ]
