"""A page of our own in the frame of Django's admin."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import AdminForm
from django.http import HttpRequest
from django.template.response import TemplateResponse


def admin_page(
    model_admin: ModelAdmin,
    request: HttpRequest,
    template: str,
    *,
    title: str,
    form: forms.Form | None = None,
    fieldsets: Sequence[tuple[str | None, dict[str, Any]]] = (),
    status: int = 200,
    **context: Any,
) -> TemplateResponse:
    """Render a page with what Django's pages know; a form is laid out like theirs.

    Args:
        template: in `templates/admin/`, with its folder unless that is `ledger/`.
    """
    values = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "form": form,
        **context,
    }
    if form is not None:
        layout = fieldsets or [(None, {"fields": list(form.fields)})]
        # Only the layout is Django's: it asks a form for nothing that a form without a model lacks.
        values["adminform"] = AdminForm(form, list(layout), {})  # type: ignore[arg-type]
        values["media"] = model_admin.media + form.media
    name = f"admin/{template}" if "/" in template else f"admin/ledger/{template}"
    return TemplateResponse(request, name, values, status=status)
