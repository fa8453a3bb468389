"""Processes that plans have suspended: read by finance staff, taken over as they stand by the company's admins."""

from datetime import datetime

from django.contrib import admin

from cloudpolicy.admin.company_time import company_time, instant_of
from cloudpolicy.admin.reasoned_act import ReasonedActAdmin
from cloudpolicy.models.suspended_process import SuspendedProcess
from cloudpolicy.services.suspended_processes import leave_suspended
from ledger.admin.scope import CompanyFilter


@admin.register(SuspendedProcess)
class SuspendedProcessAdmin(ReasonedActAdmin):
    suspended, released = company_time("suspended_at"), company_time("released_at")
    act_words = "Leave it suspended"
    what_follows = "The policy forgets that it has suspended it, and resumes it no more. A person has to."
    list_display = (
        "process", "group", "company", "account", "region", "plan", "suspended", "released", "left_because",
    )  # fmt: skip
    list_filter = (CompanyFilter, "process")
    list_select_related = ("company", "plan")
    ordering = ("-id",)
    fields = (
        "company", "plan", "account", "region", "group", "process", "suspended", "released",
        "released_by", "left_because",
    )  # fmt: skip
    readonly_fields = fields

    def may_be_done(self, row: SuspendedProcess, now: datetime) -> bool:
        return row.released_at is None

    def about(self, row: SuspendedProcess) -> str:
        since = f"since {instant_of(row, 'suspended_at')}, because plan {row.plan_id} suspended it"
        resumed = "The policy resumes it once no row asks for that any more."
        return f"{row.process} of {row.group} ({row.region}) stands still {since}. {resumed}"

    def do(self, row: SuspendedProcess, *, actor: str, reason: str, now: datetime) -> str:
        leave_suspended(company_id=row.company_id, process_id=row.pk, actor=actor, reason=reason, now=now)
        return f"{row} is left suspended."
