"""A recorded plan could be changed under the forecasts that name it; now the database refuses that."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION forecasting_refuse_plan_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'plans are append-only: % refused, record a new version instead', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER forecasting_plan_rows_stay BEFORE UPDATE OR DELETE ON forecasting_plan
    FOR EACH ROW EXECUTE FUNCTION forecasting_refuse_plan_change();
CREATE TRIGGER forecasting_plan_stays BEFORE TRUNCATE ON forecasting_plan
    FOR EACH STATEMENT EXECUTE FUNCTION forecasting_refuse_plan_change();
-- ALWAYS: also under session_replication_role = replica, which would otherwise switch triggers off.
ALTER TABLE forecasting_plan ENABLE ALWAYS TRIGGER forecasting_plan_rows_stay;
ALTER TABLE forecasting_plan ENABLE ALWAYS TRIGGER forecasting_plan_stays;
"""

UNDO = """
DROP TRIGGER forecasting_plan_rows_stay ON forecasting_plan;
DROP TRIGGER forecasting_plan_stays ON forecasting_plan;
DROP FUNCTION forecasting_refuse_plan_change();
"""


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0001_plan_run_cursor")]

    operations = [migrations.RunSQL(REFUSE, UNDO)]
