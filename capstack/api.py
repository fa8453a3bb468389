"""The HTTP API at /api/v1; each app brings routers of its own."""

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from cloudpolicy.api.exclusions import router as exclusions
from cloudpolicy.api.plans import router as plans
from cloudpolicy.api.policy import router as policy
from cloudpolicy.api.runs import router as runs
from cloudpolicy.api.savings import router as savings
from forecasting.api.router import router as forecasts
from ledger.api.books import router as books
from ledger.api.events import router as events
from ledger.api.problems import CONTENT_TYPE, install


class Api(NinjaAPI):
    """Knows that an error is a problem document, which ninja's description of the API would call plain JSON."""

    def get_openapi_schema(self, **arguments: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**arguments)
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= 400:
                        (body,) = answer["content"].values()
                        answer["content"] = {CONTENT_TYPE: body}
        return document


# The interactive page of the document loads scripts from elsewhere, which the content policy forbids: it is off.
api = Api(title="capstack", version="1", docs_url=None, urls_namespace="api")
install(api)
api.add_router("/events", events)
api.add_router("/books", books)
api.add_router("", forecasts)
api.add_router("/policy", plans)
api.add_router("/policy", policy)
api.add_router("/policy", runs)
api.add_router("/policy", savings)
api.add_router("/policy", exclusions)
