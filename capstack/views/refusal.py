"""The pages for a request that cannot be read, and for one that cannot be answered."""

import sys

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from ledger.api.problems import DATABASE_AWAY

RETRY_AFTER_SECONDS = 5


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say which part of the address is wrong, where a page of ours says so; what Django suspects stays unsaid."""
    if isinstance(exception, RequestDataTooBig):
        said = "What the form sent is larger than a page takes. Nothing was saved; a file may be larger."
        return render(request, "400.html", {"said": said, "code": 413}, status=413)
    said = str(exception) if isinstance(exception, BadRequest) else ""
    return render(request, "400.html", {"said": said}, status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that the database is away, which passes, apart from what broke here. Neither page asks the database."""
    del request
    if isinstance(sys.exception(), DATABASE_AWAY):
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return HttpResponse(render_to_string("503.html"), status=503, headers=headers)
    return HttpResponse(render_to_string("500.html"), status=500)
