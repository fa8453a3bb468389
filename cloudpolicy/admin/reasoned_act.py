"""Rows that people read, and about which an admin of the company may do one thing, with a reason."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from cloudpolicy.services.refusals import MAX_REASON, EngineBusy, NotAllowed
from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyScopedAdmin, actor_of, companies_with


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=MAX_REASON, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept, with your name."
    )


class ReasonedActAdmin(CompanyScopedAdmin):
    """An admin with one act on a row, on a page of its own at `<pk>/act/`.

    Attributes:
        act_words: what is done, as a button says it.
        what_follows: one sentence for whoever is about to do it.
    """

    change_form_template = "admin/cloudpolicy/reasoned_change_form.html"
    act_words: str
    what_follows: str

    def may_be_done(self, row: Any, now: datetime) -> bool:
        """Whether there is anything left to do about the row."""
        raise NotImplementedError

    def about(self, row: Any) -> str:
        """The row in a sentence."""
        raise NotImplementedError

    def do(self, row: Any, *, actor: str, reason: str, now: datetime) -> str:
        """Do it, and say what was done.

        Raises:
            NotAllowed: it may not be done any more.
            EngineBusy: it may not be done at this moment.
        """
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        act = path("<int:pk>/act/", self.admin_site.admin_view(self.act), name=self._address("act"))
        return [act, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        row = self.get_object(request, object_id)
        context: dict[str, Any] = {"act_words": self.act_words}
        if row is not None and self.may_be_done(row, timezone.now()) and self.allows(request, ADMINS, row):
            context["act_url"] = reverse(f"admin:{self._address('act')}", args=(row.pk,))
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def act(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.get_queryset(request).filter(pk=pk).select_related("company").first()
        if row is None or self.company_id_of(row) not in companies_with(request, ADMINS):
            raise PermissionDenied
        address = reverse(f"admin:{self._address('change')}", args=(row.pk,))
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                done = self.do(row, actor=actor_of(request), reason=reason, now=timezone.now())
            except (NotAllowed, EngineBusy) as refused:
                form.add_error(getattr(refused, "field", "") or None, f"{refused}.".capitalize())
            else:
                messages.success(request, done)
                return HttpResponseRedirect(address)
        return admin_page(
            self,
            request,
            "cloudpolicy/reasoned_act.html",
            title=f"{self.act_words}: {row}",
            form=form,
            about=self.about(row),
            what_follows=self.what_follows,
            act_words=self.act_words,
            row_url=address,
            status=422 if form.errors else 200,
        )

    def _address(self, what: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{what}"
