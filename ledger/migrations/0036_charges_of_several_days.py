"""A line of a bill was kept with the day on which its charge began alone; now also with the day on which it ended."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0035_days_of_feeds"),
    ]

    operations = [
        migrations.AddField(
            model_name="cloudbillline",
            name="until",
            field=models.DateField(null=True),
        ),
        migrations.AddIndex(
            model_name="cloudbillline",
            index=models.Index(
                fields=["company", "until"],
                condition=models.Q(until__isnull=False),
                name="cloud_bill_line_of_many_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="cloudbillline",
            constraint=models.CheckConstraint(
                condition=models.Q(until__isnull=True) | models.Q(until__gt=models.F("day")),
                name="a_charge_ends_after_it_began",
            ),
        ),
    ]
