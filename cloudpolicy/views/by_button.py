"""What only a button does."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from cloudpolicy.views.cloud import query_of
from ledger.views.current_company import CurrentCompany

NOT_DONE = "Nothing was done yet. You have signed in again, or opened the address of a button: look, and press it."


def by_button[**P](
    view: Callable[Concatenate[HttpRequest, CurrentCompany, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, CurrentCompany, P], HttpResponse]:
    """Only a button does it. Who comes here by an address comes to the page, and hears that nothing was done.

    That is where somebody is led who was signed out, pressed the button, and has signed in again.
    """

    @wraps(view)
    def acted(request: HttpRequest, chosen: CurrentCompany, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method == "POST":
            return view(request, chosen, *args, **kwargs)
        messages.warning(request, NOT_DONE)
        page = reverse("cloud-plan", kwargs=kwargs) if "plan_id" in kwargs else reverse("cloud")
        return HttpResponseRedirect(page + query_of(chosen))

    return acted
