"""Importing a file in the browser: hand it in, see what would happen, confirm; and the list of earlier ones."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ledger.domain.company import CompanyRef
from ledger.jobs import wake_import
from ledger.models.company import Role
from ledger.models.import_file import ImportState
from ledger.selectors.import_files import ImportFileRow, import_file, recent_import_files
from ledger.services.import_file import confirm_import, discard_import, stop_import
from ledger.views.current_company import CurrentCompany, current_company
from ledger.views.upload_form import UploadForm

MAY_IMPORT = frozenset({Role.FINANCE.value, Role.ADMIN.value})
SHOWN = 50


@dataclass(frozen=True, slots=True)
class ImportsPage:
    """Attributes:
    form: None for somebody who may only look.
    """

    chosen: CurrentCompany
    files: tuple[ImportFileRow, ...]
    form: UploadForm | None

    @property
    def companies(self) -> tuple[CompanyRef, ...]:
        """Those to change to; none where there is no other."""
        return self.chosen.choices if len(self.chosen.choices) > 1 else ()


@never_cache
@login_required
def imports(request: HttpRequest) -> HttpResponse:
    """The files of a company; posted to, it takes in another one."""
    chosen = _company(request)
    form = None
    if chosen.role in MAY_IMPORT:
        posted = request.method == "POST"
        form = UploadForm(request.POST if posted else None, request.FILES if posted else None)
    if request.method == "POST":
        if form is None:
            raise PermissionDenied
        if form.is_valid():
            file_id = form.hand_in(company_id=chosen.company.id, actor=_actor(request), now=timezone.now())
            if file_id is not None:
                wake_import(file_id=file_id)
                return _to_file(file_id)
    page = ImportsPage(chosen, recent_import_files(company_id=chosen.company.id, limit=SHOWN), form)
    return render(request, "ledger/imports.html", {"page": page}, status=422 if form and form.errors else 200)


@never_cache
@login_required
@require_safe
def one_import(request: HttpRequest, file_id: int) -> HttpResponse:
    """One file: how far the work on it is, what it would do, what it did."""
    chosen = _company(request)
    file = _file(chosen, file_id)
    fragment = bool(request.htmx)  # type: ignore[attr-defined]
    context = {"chosen": chosen, "file": file, "may_decide": chosen.role in MAY_IMPORT}
    response = render(request, "ledger/import_live.html" if fragment else "ledger/import_file.html", context)
    patch_vary_headers(response, ("HX-Request",))
    return response


@login_required
@require_POST
def confirm(request: HttpRequest, file_id: int) -> HttpResponse:
    _decidable(request, file_id)
    if confirm_import(file_id=file_id, actor=_actor(request)):
        wake_import(file_id=file_id)
    else:
        messages.warning(request, "The file is not waiting for your word.")
    return _to_file(file_id)


@login_required
@require_POST
def stop(request: HttpRequest, file_id: int) -> HttpResponse:
    _decidable(request, file_id)
    state = stop_import(file_id=file_id, now=timezone.now())
    if state == ImportState.DISCARDED:
        messages.success(request, "The check is stopped and the file discarded; nothing of it was recorded.")
        return HttpResponseRedirect(reverse("imports"))
    if state is None:
        messages.warning(request, "There is no work on this file to be stopped.")
    return _to_file(file_id)


@login_required
@require_POST
def discard(request: HttpRequest, file_id: int) -> HttpResponse:
    _decidable(request, file_id)
    if discard_import(file_id=file_id, now=timezone.now()):
        messages.success(request, "The file is discarded; nothing of it was recorded.")
    else:
        messages.warning(request, "Only a checked or refused file can be discarded.")
    return HttpResponseRedirect(reverse("imports"))


def _company(request: HttpRequest) -> CurrentCompany:
    chosen = current_company(request)
    if chosen is None:
        raise Http404("You belong to no company yet.")
    return chosen


def _file(chosen: CurrentCompany, file_id: int) -> ImportFileRow:
    file = import_file(company_id=chosen.company.id, file_id=file_id)
    if file is None:
        raise Http404("There is no such file in this company.")
    return file


def _decidable(request: HttpRequest, file_id: int) -> None:
    chosen = _company(request)
    _file(chosen, file_id)
    if chosen.role not in MAY_IMPORT:
        raise PermissionDenied


def _actor(request: HttpRequest) -> str:
    return f"page:{request.user.get_username()}"[:255]


def _to_file(file_id: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("import-file", args=(file_id,)))
