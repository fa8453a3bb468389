"""Prices and predictions could be bettered afterwards; now the database refuses that."""

from django.db import migrations

TABLES = ("instanceprice", "planprice", "groupinstance", "savingscore")

REFUSE = """
CREATE TRIGGER cloudpolicy_{table}_rows_stay BEFORE UPDATE OR DELETE ON cloudpolicy_{table}
    FOR EACH ROW EXECUTE FUNCTION cloudpolicy_refuse_change_of_history();
CREATE TRIGGER cloudpolicy_{table}_stays BEFORE TRUNCATE ON cloudpolicy_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION cloudpolicy_refuse_change_of_history();
-- ALWAYS: also under session_replication_role = replica, which would otherwise switch triggers off.
ALTER TABLE cloudpolicy_{table} ENABLE ALWAYS TRIGGER cloudpolicy_{table}_rows_stay;
ALTER TABLE cloudpolicy_{table} ENABLE ALWAYS TRIGGER cloudpolicy_{table}_stays;
"""

UNDO = """
DROP TRIGGER cloudpolicy_{table}_rows_stay ON cloudpolicy_{table};
DROP TRIGGER cloudpolicy_{table}_stays ON cloudpolicy_{table};
"""


class Migration(migrations.Migration):
    dependencies = [("cloudpolicy", "0010_prices_and_scores")]

    operations = [
        migrations.RunSQL(
            "".join(REFUSE.format(table=table) for table in TABLES),
            "".join(UNDO.format(table=table) for table in TABLES),
        )
    ]
