"""Taking an event back: asks for a reason on a page of its own."""

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from ledger.admin.event_address import event_address, outcome_address
from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, FINANCE, actor_of, companies_with
from ledger.domain.outcome import DUPLICATE, RECORDED, Outcome
from ledger.models.event import CapitalEvent
from ledger.services.reverse import MAX_REASON
from ledger.services.reverse import reverse as take_back


class ReversalForm(forms.Form):
    reason = forms.CharField(
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with the reversal, with your name.",
    )
    into_closed_month = forms.BooleanField(
        required=False,
        label="Reverse although the month is closed",
        help_text="For admins of the company alone.",
    )


def reversal_view(model_admin: ModelAdmin, request: HttpRequest, event: CapitalEvent | None) -> HttpResponse:
    """Ask why, then append the opposite of the event and show it.

    Args:
        event: None when there is none with this key that whoever asks may see.
    """
    if event is None or event.company_id not in companies_with(request, FINANCE):
        raise PermissionDenied
    form = ReversalForm(request.POST if request.method == "POST" else None)
    is_valid = form.is_valid()
    into_closed_month = is_valid and form.cleaned_data["into_closed_month"]
    if into_closed_month and event.company_id not in companies_with(request, ADMINS):
        form.add_error("into_closed_month", "Only an admin of the company records into a closed month.")
    elif is_valid:
        outcome = take_back(
            company_id=event.company_id,
            event_id=bytes(event.event_id).hex(),
            reason=form.cleaned_data["reason"],
            actor=actor_of(request),
            now=timezone.now(),
            into_closed_month=into_closed_month,
        )
        if _tell(request, outcome):
            return HttpResponseRedirect(outcome_address(company_id=event.company_id, outcome=outcome))
        for problem in outcome.problems:
            form.add_error("reason" if problem.field == "reason" else None, f"The event {problem.message}.")
    return admin_page(
        model_admin,
        request,
        "reversal.html",
        title="Reverse an event",
        form=form,
        event=event,
        event_url=event_address("change", company_id=event.company_id, position=event.position),
        status=422 if form.errors else 200,
    )


def _tell(request: HttpRequest, outcome: Outcome) -> bool:
    if outcome.status == RECORDED:
        messages.success(request, "The event is taken back; this is its reversal.")
    elif outcome.status == DUPLICATE:
        messages.warning(request, "The event had been taken back before; this is its reversal.")
    return outcome.status in {RECORDED, DUPLICATE}
