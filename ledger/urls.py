"""Addresses of the ledger outside /api/v1 (see `ledger.api.events.router` for those inside)."""

from django.urls import path

from ledger.api.ingest import ingest

urlpatterns = [
    path("events/ingest", ingest, name="ingest"),
]
