"""A forecast said how long the money lasts and not why; now an explanation is kept beside each run."""

import django.db.models.deletion
from django.db import migrations, models

APPEND_ONLY = """
ALTER TABLE forecasting_forecastexplanation
    ADD CONSTRAINT forecasting_explanation_of_run FOREIGN KEY (run_id)
    REFERENCES forecasting_forecastrun (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE;

CREATE FUNCTION forecasting_refuse_explanation_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Gone with its run, which is gone already when the foreign key comes here.
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM forecasting_forecastrun WHERE id = OLD.run_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'explanations are append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER forecasting_explanation_rows_stay BEFORE UPDATE OR DELETE ON forecasting_forecastexplanation
    FOR EACH ROW EXECUTE FUNCTION forecasting_refuse_explanation_change();
CREATE TRIGGER forecasting_explanation_stays BEFORE TRUNCATE ON forecasting_forecastexplanation
    FOR EACH STATEMENT EXECUTE FUNCTION forecasting_refuse_explanation_change();
-- ALWAYS: also under session_replication_role = replica, which would otherwise switch triggers off.
ALTER TABLE forecasting_forecastexplanation ENABLE ALWAYS TRIGGER forecasting_explanation_rows_stay;
ALTER TABLE forecasting_forecastexplanation ENABLE ALWAYS TRIGGER forecasting_explanation_stays;
"""

UNDO = """
DROP TRIGGER forecasting_explanation_rows_stay ON forecasting_forecastexplanation;
DROP TRIGGER forecasting_explanation_stays ON forecasting_forecastexplanation;
DROP FUNCTION forecasting_refuse_explanation_change();
ALTER TABLE forecasting_forecastexplanation DROP CONSTRAINT forecasting_explanation_of_run;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0004_the_record_is_append_only"),
        ("ledger", "0001_tenants"),
    ]

    operations = [
        migrations.CreateModel(
            name="ForecastExplanation",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="explanation",
                        serialize=False,
                        to="forecasting.forecastrun",
                    ),
                ),
                ("content", models.JSONField()),
                ("explained_at", models.DateTimeField()),
                ("duration_ms", models.FloatField()),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger.company",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["company", "-explained_at"], name="explanation_newest")],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, UNDO),
    ]
