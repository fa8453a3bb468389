"""What is left alone for a while because of what a person did: read by finance staff, lifted by admins of the
company."""

from datetime import datetime

from django.contrib import admin
from django.utils import timezone

from cloudpolicy.admin.company_time import company_time, instant_of
from cloudpolicy.admin.reasoned_act import ReasonedActAdmin
from cloudpolicy.models.exclusion import Exclusion
from cloudpolicy.services.exclusions import lift_exclusion
from ledger.admin.scope import CompanyFilter


@admin.register(Exclusion)
class ExclusionAdmin(ReasonedActAdmin):
    made, ends, lifted = company_time("made_at"), company_time("ends_at"), company_time("lifted_at")
    act_words = "Lift it"
    what_follows = "The policy looks at the cloud again at once, and decides about it as about everything else."
    list_display = ("name", "company", "region", "where_it_stands", "because", "actor", "ends")
    list_filter = (CompanyFilter, "only_growth")
    list_select_related = ("company",)
    ordering = ("-id",)
    fields = (
        "company", "name", "account", "region", "where_it_stands", "only_growth", "because", "plan", "actor",
        "made", "ends", "lifted", "lifted_by",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="where it stands")
    def where_it_stands(self, row: Exclusion) -> str:
        if row.lifted_at is not None:
            return "lifted"
        return "counts" if self.may_be_done(row, timezone.now()) else "has ended"

    def may_be_done(self, row: Exclusion, now: datetime) -> bool:
        return row.lifted_at is None and row.ends_at > now

    def about(self, row: Exclusion) -> str:
        what = "is not made larger" if row.only_growth else "is left alone"
        return f"{row.name} {what} until {instant_of(row, 'ends_at')}: {row.because} ({row.actor})."

    def do(self, row: Exclusion, *, actor: str, reason: str, now: datetime) -> str:
        lift_exclusion(company_id=row.company_id, exclusion_id=row.pk, actor=actor, reason=reason, now=now)
        return f"{row.name} is the policy's to decide about again."
