"""What plans have stopped, and when it ran again: read by finance staff, changed by nobody."""

from django.contrib import admin

from cloudpolicy.admin.company_time import company_time
from cloudpolicy.models.held_resource import HeldResource
from ledger.admin.scope import CompanyFilter, CompanyScopedAdmin


@admin.register(HeldResource)
class HeldResourceAdmin(CompanyScopedAdmin):
    held, released = company_time("held_at"), company_time("released_at")
    list_display = ("resource", "company", "action", "region", "plan", "held", "released")
    list_filter = (CompanyFilter, "action")
    list_select_related = ("company", "plan")
    ordering = ("-id",)
