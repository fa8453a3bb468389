"""A what-if was forgotten with the page that asked it; now people keep it, version by version."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Lower

APPEND_ONLY = """
CREATE FUNCTION forecasting_refuse_scenario_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'versions of a scenario are append-only: % refused, record a new version instead', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER forecasting_scenario_rows_stay BEFORE UPDATE OR DELETE ON forecasting_scenarioversion
    FOR EACH ROW EXECUTE FUNCTION forecasting_refuse_scenario_change();
CREATE TRIGGER forecasting_scenario_stays BEFORE TRUNCATE ON forecasting_scenarioversion
    FOR EACH STATEMENT EXECUTE FUNCTION forecasting_refuse_scenario_change();
-- ALWAYS: also under session_replication_role = replica, which would otherwise switch triggers off.
ALTER TABLE forecasting_scenarioversion ENABLE ALWAYS TRIGGER forecasting_scenario_rows_stay;
ALTER TABLE forecasting_scenarioversion ENABLE ALWAYS TRIGGER forecasting_scenario_stays;
"""

UNDO = """
DROP TRIGGER forecasting_scenario_rows_stay ON forecasting_scenarioversion;
DROP TRIGGER forecasting_scenario_stays ON forecasting_scenarioversion;
DROP FUNCTION forecasting_refuse_scenario_change();
"""

PROTECT = django.db.models.deletion.PROTECT


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0005_explanations"),
        ("ledger", "0017_drain_without_downtime"),
    ]

    operations = [
        migrations.CreateModel(
            name="Scenario",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=80)),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=255)),
                ("archived_at", models.DateTimeField(null=True)),
                ("archived_by", models.CharField(blank=True, max_length=255)),
                (
                    "company",
                    models.ForeignKey(on_delete=PROTECT, related_name="scenarios", to="ledger.company"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        "company",
                        Lower("name"),
                        condition=models.Q(archived_at__isnull=True),
                        name="scenario_name_is_unique_in_company",
                    ),
                    models.CheckConstraint(condition=~models.Q(name=""), name="scenario_has_a_name"),
                ]
            },
        ),
        migrations.CreateModel(
            name="ScenarioVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("version", models.PositiveIntegerField()),
                ("changes", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("recorded_at", models.DateTimeField()),
                ("actor", models.CharField(max_length=255)),
                (
                    "company",
                    models.ForeignKey(db_index=False, on_delete=PROTECT, related_name="+", to="ledger.company"),
                ),
                (
                    "scenario",
                    models.ForeignKey(
                        db_index=False, on_delete=PROTECT, related_name="versions", to="forecasting.scenario"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["company", "scenario", "version"], name="scenario_version_is_unique_in_scenario"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(version__gte=1), name="scenario_version_starts_at_one"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(digest__regex=r"^[0-9a-f]{64}$"),
                        name="scenario_version_digest_is_sha256",
                    ),
                ]
            },
        ),
        migrations.RunSQL(APPEND_ONLY, UNDO),
    ]
