"""What was approved, switched or journalled could be changed afterwards; now the database refuses that."""

from django.db import migrations

TABLES = ("planapproval", "killswitchturn", "stepentry")

FUNCTION = """
CREATE FUNCTION cloudpolicy_refuse_change_of_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
"""

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
    dependencies = [("cloudpolicy", "0008_runs")]

    operations = [
        migrations.RunSQL(
            FUNCTION + "".join(REFUSE.format(table=table) for table in TABLES),
            "".join(UNDO.format(table=table) for table in TABLES)
            + "DROP FUNCTION cloudpolicy_refuse_change_of_history();",
        )
    ]
