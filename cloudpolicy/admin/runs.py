"""Runs and the journal of their steps, and what a plan has stopped: read by finance staff, changed by nobody."""

from django.contrib import admin

from cloudpolicy.models.held_resource import HeldResource
from cloudpolicy.models.run import ScalingRun, StepEntry
from ledger.admin.scope import CompanyFilter, CompanyScopedAdmin


@admin.register(ScalingRun)
class ScalingRunAdmin(CompanyScopedAdmin):
    list_display = (
        "id",
        "company",
        "plan",
        "kind",
        "state",
        "outcome",
        "actor",
        "reason",
        "started_at",
        "ended_at",
    )
    list_filter = (CompanyFilter, "kind", "state")
    list_select_related = ("company", "plan")
    ordering = ("-id",)


@admin.register(StepEntry)
class StepEntryAdmin(CompanyScopedAdmin):
    list_display = ("run", "line", "company", "step", "phase", "text", "at")
    list_filter = (CompanyFilter, "phase")
    list_select_related = ("company", "run")
    ordering = ("-run_id", "line")


@admin.register(HeldResource)
class HeldResourceAdmin(CompanyScopedAdmin):
    list_display = ("resource", "company", "action", "region", "plan", "held_at", "released_at")
    list_filter = (CompanyFilter, "action")
    list_select_related = ("company", "plan")
    ordering = ("-id",)
