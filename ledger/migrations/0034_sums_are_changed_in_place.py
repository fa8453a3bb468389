"""Each step of summing wrote all days anew behind the old rows, and readers went through what was dead. Now a page
keeps room for the next version of its rows, which takes the place of the one before."""

from django.db import migrations

TABLES = ("ledger_dailyflow", "ledger_accountday")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0033_lowered_balances")]

    operations = [
        migrations.RunSQL(
            sql=f"ALTER TABLE {table} SET (fillfactor = 50)", reverse_sql=f"ALTER TABLE {table} RESET (fillfactor)"
        )
        for table in TABLES
    ]
