"""The HTTP API at /api/v1; each app brings routers of its own."""

from ninja import NinjaAPI

from cloudpolicy.api.plans import router as plans
from forecasting.api.router import router as forecasts
from ledger.api.events import router as events
from ledger.api.problems import install

# The interactive page of the document loads scripts from elsewhere, which the content policy forbids: it is off.
api = NinjaAPI(title="capstack", version="1", docs_url=None, urls_namespace="api")
install(api)
api.add_router("/events", events)
api.add_router("", forecasts)
api.add_router("/policy", plans)
