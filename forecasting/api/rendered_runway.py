"""`GET /runway` for machines that ask often: mostly the bytes of the answer before."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from forecasting.metrics import CACHE_REQUESTS
from forecasting.rendered import Standing, keep, kept, turn
from forecasting.selectors.standing import standing_of
from ledger.api.auth import authenticate
from ledger.api.problems import Problem, unexpected

# As ninja says it.
CONTENT_TYPE = "application/json; charset=utf-8"
# Any other query goes the long way, which knows what to say about it.
_BASIS_OF_QUERY = {"": "free", "basis=free": "free", "basis=bank": "bank"}


def get_runway(request: HttpRequest, *, long_way: Callable[[HttpRequest], HttpResponseBase]) -> HttpResponseBase:
    """Answer as `forecasting.api.runway.runway` does, by itself where the answer was given before.

    The token is looked up each time: one that is revoked is refused at once.

    Args:
        long_way: answers in any other case.
    """
    basis = _BASIS_OF_QUERY.get(request.META.get("QUERY_STRING", ""))
    if basis is None:
        return long_way(request)
    try:
        company_id = authenticate(request, scope="read").company_id
        standing = standing_of(company_id=company_id, basis=basis)
    except Problem as problem:
        return problem.response()
    except Exception as error:
        return unexpected(request, error)
    if standing is None:
        return long_way(request)
    answer = kept(standing=standing)
    if answer is not None:
        return _again(answer)
    with turn(company_id=company_id, basis=basis) as waited:
        return _made(request, standing, long_way=long_way, waited=waited)


def _made(
    request: HttpRequest,
    standing: Standing,
    *,
    long_way: Callable[[HttpRequest], HttpResponseBase],
    waited: bool,
) -> HttpResponseBase:
    """Make the answer and keep it, unless somebody else has kept the one that is true now."""
    if waited:
        try:
            standing = standing_of(company_id=standing.company_id, basis=standing.basis) or standing
        except Exception as error:
            return unexpected(request, error)
    answer = kept(standing=standing)
    if answer is not None:
        return _again(answer)
    response = long_way(request)
    # It was made of several looks. Nothing moved between them if nothing moved around them.
    if (
        isinstance(response, HttpResponse)
        and response.status_code == 200
        and standing_of(company_id=standing.company_id, basis=standing.basis) == standing
    ):
        keep(standing=standing, answer=response.content)
    return response


def _again(answer: bytes) -> HttpResponse:
    CACHE_REQUESTS.labels("rendered").inc()
    return HttpResponse(answer, content_type=CONTENT_TYPE)
