"""Addresses of the ledger outside /api/v1 (see `ledger.api.events.router` for those inside)."""

from django.urls import path

from ledger.api.ingest import ingest
from ledger.api.webhooks import receive_webhook

urlpatterns = [
    path("events/ingest", ingest, name="ingest"),
    path("webhooks/<str:provider>/<str:endpoint_id>", receive_webhook, name="webhook"),
]
