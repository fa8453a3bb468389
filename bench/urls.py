"""The application's addresses and one more: a bare INSERT, the least an endpoint that stores an event can do."""

import json

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from capstack.urls import urlpatterns as application


@csrf_exempt
def bare_insert(request: HttpRequest) -> HttpResponse:
    """Parse the body and insert a row: no token, no check, no key, no position."""
    event = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into bench_bare_event (source, event_type, amount, currency, occurred_at, account, category,"
            " counterparty, external_ref) values (%(source)s, %(event_type)s, %(amount)s, %(currency)s,"
            " %(occurred_at)s, %(account)s, %(category)s, %(counterparty)s, %(external_ref)s)",
            event,
        )
    return JsonResponse({"status": "stored"}, status=201)


urlpatterns = [path("bench/bare-insert", bare_insert), *application]
