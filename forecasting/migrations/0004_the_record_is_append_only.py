"""A record of how forecasts came out could be bettered afterwards; now the database refuses that."""

from django.db import migrations

TABLES = ("backtest", "backtestorigin", "cashscore", "runwayscore", "calibrationversion")

FUNCTION = """
CREATE FUNCTION forecasting_refuse_record_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the track record is append-only: % refused on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
"""

# ALWAYS: also under session_replication_role = replica, which would otherwise switch triggers off.
TRIGGERS = """
CREATE TRIGGER forecasting_{table}_rows_stay BEFORE UPDATE OR DELETE ON forecasting_{table}
    FOR EACH ROW EXECUTE FUNCTION forecasting_refuse_record_change();
CREATE TRIGGER forecasting_{table}_stays BEFORE TRUNCATE ON forecasting_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION forecasting_refuse_record_change();
ALTER TABLE forecasting_{table} ENABLE ALWAYS TRIGGER forecasting_{table}_rows_stay;
ALTER TABLE forecasting_{table} ENABLE ALWAYS TRIGGER forecasting_{table}_stays;
"""

UNDO = """
DROP TRIGGER forecasting_{table}_rows_stay ON forecasting_{table};
DROP TRIGGER forecasting_{table}_stays ON forecasting_{table};
"""


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0003_track_record")]

    operations = [
        migrations.RunSQL(
            FUNCTION + "".join(TRIGGERS.format(table=table) for table in TABLES),
            "".join(UNDO.format(table=table) for table in TABLES)
            + "DROP FUNCTION forecasting_refuse_record_change();",
        )
    ]
