"""Addresses of the ledger outside /api/v1 (see `ledger.api.events.router` for those inside)."""

from django.urls import path

from ledger.api.ingest import ingest
from ledger.api.webhooks import receive_webhook
from ledger.views import books, event, imports, journal, reconcile, review, split, warnings

urlpatterns = [
    path("events/ingest", ingest, name="ingest"),
    path("webhooks/<str:provider>/<str:endpoint_id>", receive_webhook, name="webhook"),
    path("books", books.books, name="books"),
    path("ledger", journal.journal, name="ledger"),
    path("ledger/warnings", warnings.warnings, name="data-warnings"),
    path("ledger/events/<slug:event_id>", event.event, name="event"),
    path("ledger/events/<slug:event_id>/reverse", event.reverse_event, name="reverse-event"),
    path("ledger/events/<slug:event_id>/split", split.split_event, name="split-event"),
    path("reconcile", reconcile.reconcile, name="reconcile"),
    path("reconcile/statements", reconcile.state, name="state-balance"),
    path("reconcile/breaks", reconcile.explain, name="explain-break"),
    path("reconcile/matches/<int:match_id>/end", event.take_match_apart, name="end-match"),
    path("reconcile/splits/<int:split_id>/end", split.end_split, name="end-split"),
    path("reconcile/review", review.queue, name="review"),
    path("reconcile/review/<int:item_id>", review.answer_question, name="answer-question"),
    path("imports", imports.imports, name="imports"),
    path("imports/<int:file_id>", imports.one_import, name="import-file"),
    path("imports/<int:file_id>/confirm", imports.confirm, name="import-confirm"),
    path("imports/<int:file_id>/stop", imports.stop, name="import-stop"),
    path("imports/<int:file_id>/discard", imports.discard, name="import-discard"),
]
