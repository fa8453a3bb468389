"""A saving that bills by the month do not tell apart was called one of which no bill speaks; now it has its own name."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cloudpolicy", "0019_share_to_return_to"),
    ]

    operations = [
        migrations.AlterField(
            model_name="savingscore",
            name="verdict",
            field=models.CharField(
                choices=[
                    ("delivered", "Delivered"),
                    ("short", "Less than half of it"),
                    ("overtaken", "The groups were changed again"),
                    ("unbilled", "No bill speaks of the groups"),
                    ("blurred", "Before and after share one line of the bill"),
                    ("unpriced", "Nothing was predicted"),
                ],
                max_length=9,
            ),
        ),
    ]
