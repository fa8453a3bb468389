"""A feed is held to its own habits: the last days on which it spoke, read from the last half year of the journal."""

import django.contrib.postgres.fields
from django.db import migrations, models

_DAYS = """
    UPDATE ledger_accountfeed f SET days = d.days
    FROM (
        SELECT e.company_id, e.account_id, e.source,
            (array_agg(DISTINCT (e.occurred_at AT TIME ZONE c.timezone)::date
                ORDER BY (e.occurred_at AT TIME ZONE c.timezone)::date DESC))[1:32] AS days
        FROM ledger_capitalevent e
        JOIN ledger_company c ON c.id = e.company_id
        JOIN ledger_matchcursor m ON m.company_id = e.company_id AND e.position <= m.position
        WHERE e.reverses IS NULL AND e.occurred_at > now() - interval '200 days'
        GROUP BY 1, 2, 3
    ) d
    WHERE f.company_id = d.company_id AND f.account_id = d.account_id AND f.source = d.source
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0034_sums_are_changed_in_place"),
    ]

    operations = [
        migrations.AddField(
            model_name="accountfeed",
            name="days",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.DateField(), default=list),
        ),
        migrations.RunSQL(_DAYS, migrations.RunSQL.noop),
    ]
