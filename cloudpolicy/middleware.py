"""What holds for every page of the cloud: it hears soon of a silent cloud, and shows text as it is stored."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from cloudpolicy.services.aws import while_somebody_waits
from cloudpolicy.services.refusals import TURNS_TEXT

_OURS = ("/cloud", "/admin/cloudpolicy/")
_TURNS = re.compile(b"|".join(sorted(letter.encode() for letter in TURNS_TEXT)))
_SHOWN_INSTEAD = "\N{REPLACEMENT CHARACTER}".encode()


def hurry_the_cloud(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A web server has few threads: those that wait for a silent cloud are missing to everybody else."""

    def answer(request: HttpRequest) -> HttpResponse:
        with while_somebody_waits():
            return get_response(request)

    return answer


def show_text_as_stored(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let no letter of a page of ours turn the others round.

    Such letters are refused where text is typed. Approvals and reasons from before that are append-only and hold
    them still; every page that shows them shows a mark in their place.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html") and not response.streaming
        if is_page and request.path.startswith(_OURS) and _TURNS.search(response.content):
            response.content = _TURNS.sub(_SHOWN_INSTEAD, response.content)
        return response

    return answer
