"""A version of a policy could be changed under the plans that name it; now the database refuses that."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION cloudpolicy_refuse_policy_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'policy versions are append-only: % refused, put a new version in force instead', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER cloudpolicy_policyversion_rows_stay BEFORE UPDATE OR DELETE ON cloudpolicy_policyversion
    FOR EACH ROW EXECUTE FUNCTION cloudpolicy_refuse_policy_change();
CREATE TRIGGER cloudpolicy_policyversion_stays BEFORE TRUNCATE ON cloudpolicy_policyversion
    FOR EACH STATEMENT EXECUTE FUNCTION cloudpolicy_refuse_policy_change();
-- ALWAYS: also under session_replication_role = replica, which would otherwise switch triggers off.
ALTER TABLE cloudpolicy_policyversion ENABLE ALWAYS TRIGGER cloudpolicy_policyversion_rows_stay;
ALTER TABLE cloudpolicy_policyversion ENABLE ALWAYS TRIGGER cloudpolicy_policyversion_stays;
"""

UNDO = """
DROP TRIGGER cloudpolicy_policyversion_rows_stay ON cloudpolicy_policyversion;
DROP TRIGGER cloudpolicy_policyversion_stays ON cloudpolicy_policyversion;
DROP FUNCTION cloudpolicy_refuse_policy_change();
"""


class Migration(migrations.Migration):
    dependencies = [("cloudpolicy", "0006_policy_documents")]

    operations = [migrations.RunSQL(REFUSE, UNDO)]
