"""Recording an adjustment by hand: money that moved and that no feed tells of, with a reason and a name."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from ledger.admin.event_address import outcome_address
from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, FINANCE, actor_of, companies_with
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.outcome import DUPLICATE, RECORDED
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.domain.wall_clock import NoSuchTime, instant_at
from ledger.models.account import Account
from ledger.models.company import Company
from ledger.models.event import Direction
from ledger.services.adjustments import SOURCE, adjust


class LocalDateTimeField(forms.Field):
    """A date and time as read from a clock on the wall; whose wall is decided later. Gives a naive datetime."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is not None:
            raise forms.ValidationError("Enter a date and time such as 2026-03-01T09:30.")
        return moment


class AdjustmentForm(forms.Form):
    """What a person states. Amount, dates and texts are checked by `parse_event`, as for everybody else."""

    company = forms.ModelChoiceField(Company.objects.none())
    account = forms.ModelChoiceField(Account.objects.none())
    direction = forms.ChoiceField(choices=Direction, widget=forms.RadioSelect)
    amount = forms.CharField(max_length=32, help_text="Above zero, such as 1250.00")
    currency = forms.CharField(max_length=3, required=False, help_text="Empty: the account's.")
    occurred_at = LocalDateTimeField(label="When", help_text="In the time zone of the company.")
    category = forms.CharField(max_length=255, required=False)
    counterparty = forms.CharField(max_length=255, required=False)
    reason = forms.CharField(
        max_length=255, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept with the event, with your name."
    )
    into_closed_month = forms.BooleanField(
        required=False,
        label="Record although the month is closed",
        help_text="For admins of the company alone; the reason above is kept as the reason for this too.",
    )

    def __init__(self, *, company_ids: Collection[int], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        companies = Company.objects.filter(id__in=company_ids).order_by("name")
        accounts = Account.objects.filter(company_id__in=company_ids).select_related("company")
        self.fields["company"].queryset = companies  # type: ignore[attr-defined]
        self.fields["account"].queryset = accounts.order_by("company__name", "name")  # type: ignore[attr-defined]
        self.fields["account"].label_from_instance = self._account_label  # type: ignore[attr-defined]
        if len(company_ids) == 1:
            self.fields["company"].initial = next(iter(company_ids))
        self.draft: EventDraft | None = None

    @staticmethod
    def _account_label(account: Account) -> str:
        return f"{account.company.name}: {account.name} ({account.currency})"

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.errors:
            return values
        company, account = values["company"], values["account"]
        if account.company_id != company.id:
            self.add_error("account", f"{account.name} is not an account of {company.name}.")
            return values
        try:
            when = instant_at(values["occurred_at"], zone=ZoneInfo(company.timezone))
        except NoSuchTime as error:
            self.add_problems([FieldProblem("occurred_at", str(error))])
            return values
        try:
            self.draft = parse_event(
                {
                    "source": SOURCE,
                    "event_type": "adjustment",
                    "direction": values["direction"],
                    "amount": values["amount"].strip(),
                    "currency": values["currency"].strip().upper() or account.currency,
                    "occurred_at": when.isoformat(),
                    "account": account.name,
                    "category": values["category"].strip(),
                    "counterparty": values["counterparty"].strip(),
                    "metadata": {"reason": values["reason"].strip()},
                },
                now=timezone.now(),
            )
        except InvalidEvent as error:
            self.add_problems(error.errors)
        return values

    def add_problems(self, problems: Collection[FieldProblem]) -> None:
        """Show what the ledger says is wrong beside the field it is about."""
        for problem in problems:
            field = problem.field if problem.field in self.fields else None
            name = self[field].label if field else problem.field
            self.add_error(field, capfirst(f"{name} {problem.message}".strip()))


FIELDSETS = (
    (None, {"fields": ["company", "account"]}),
    ("What moved", {"fields": ["direction", "amount", "currency", "occurred_at", "category", "counterparty"]}),
    ("Why", {"fields": ["reason", "into_closed_month"]}),
)


def adjustment_view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the form, or record what it states and show the event."""
    company_ids = companies_with(request, FINANCE)
    if not company_ids:
        raise PermissionDenied
    form = AdjustmentForm(company_ids=company_ids, data=request.POST if request.method == "POST" else None)
    if form.is_valid() and form.draft is not None:
        address = _record(form, form.draft, request)
        if address is not None:
            return HttpResponseRedirect(address)
    return admin_page(
        model_admin,
        request,
        "adjustment.html",
        title="Record an adjustment",
        form=form,
        fieldsets=FIELDSETS,
        status=422 if form.errors else 200,
    )


def _record(form: AdjustmentForm, draft: EventDraft, request: HttpRequest) -> str | None:
    """Address of the event, or of the adjustment that waits; None when refused, and then the form says why."""
    company = form.cleaned_data["company"]
    into_closed_month = form.cleaned_data["into_closed_month"]
    if into_closed_month and company.id not in companies_with(request, ADMINS):
        form.add_error("into_closed_month", "Only an admin of the company records into a closed month.")
        return None
    adjusted = adjust(
        company_id=company.id,
        draft=draft,
        reason=form.cleaned_data["reason"].strip(),
        user_id=int(request.user.pk or 0),
        actor=actor_of(request),
        into_closed_month=into_closed_month,
        now=timezone.now(),
    )
    outcome = adjusted.outcome
    if outcome is None:
        messages.warning(
            request, "It is above the company's limit: it is recorded when a second person approves it."
        )
        return reverse("admin:ledger_pendingadjustment_change", args=(adjusted.pending_id,))
    if outcome.status == RECORDED:
        messages.success(request, "The adjustment is recorded.")
    elif outcome.status == DUPLICATE:
        messages.warning(
            request, "The same adjustment is recorded already; this is it. A second one needs another time."
        )
    else:
        form.add_problems(outcome.problems)
        return None
    return outcome_address(company_id=company.id, outcome=outcome)
