"""Addresses of the ledger outside /api/v1 (see `ledger.api.events.router` for those inside)."""

from django.urls import path

from ledger.api.ingest import ingest
from ledger.views import imports

urlpatterns = [
    path("events/ingest", ingest, name="ingest"),
    path("ledger/imports", imports.imports, name="imports"),
    path("ledger/imports/<int:file_id>", imports.one_import, name="import-file"),
    path("ledger/imports/<int:file_id>/confirm", imports.confirm, name="import-confirm"),
    path("ledger/imports/<int:file_id>/discard", imports.discard, name="import-discard"),
]
