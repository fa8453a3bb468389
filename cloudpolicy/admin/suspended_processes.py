"""Processes that plans have suspended, and when they ran again: read by finance staff, changed by nobody."""

from django.contrib import admin

from cloudpolicy.models.suspended_process import SuspendedProcess
from ledger.admin.scope import CompanyFilter, CompanyScopedAdmin


@admin.register(SuspendedProcess)
class SuspendedProcessAdmin(CompanyScopedAdmin):
    list_display = (
        "process", "group", "company", "account", "region", "plan", "suspended_at", "released_at", "released_by",
    )  # fmt: skip
    list_filter = (CompanyFilter, "process")
    list_select_related = ("company", "plan", "released_by")
    ordering = ("-id",)
