"""The HTTP API at /api/v1; each app brings routers of its own."""

from typing import Any

from ninja import NinjaAPI
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.openapi.schema import OpenAPISchema

from cloudpolicy.api.exclusions import router as exclusions
from cloudpolicy.api.plans import router as plans
from cloudpolicy.api.policy import router as policy
from cloudpolicy.api.runs import router as runs
from cloudpolicy.api.savings import router as savings
from forecasting.api.router import router as forecasts
from ledger.api.arguments import as_written, known_queries_only
from ledger.api.books import router as books
from ledger.api.events import router as events
from ledger.api.json_parser import StrictParser
from ledger.api.problems import CONTENT_TYPE, install

# What every address answers to a parameter that it does not have.
_UNKNOWN_PARAMETER = {
    "description": "Unprocessable Entity",
    "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemSchema"}}},
}


class Api(NinjaAPI):
    """Knows that an error is a problem document, which ninja's description of the API would call plain JSON, and
    what the sender called things."""

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        found = super().validation_error_from_error_contexts
        return ValidationError([error for one in error_contexts for error in as_written(one, found([one]).errors)])

    def get_openapi_schema(self, **arguments: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**arguments)
        for operations in document["paths"].values():
            for operation in operations.values():
                operation["responses"].setdefault(422, dict(_UNKNOWN_PARAMETER))
                for status, answer in operation["responses"].items():
                    if int(status) >= 400:
                        (body,) = answer["content"].values()
                        answer["content"] = {CONTENT_TYPE: body}
        return document


# The interactive page of the document loads scripts from elsewhere, which the content policy forbids: it is off.
api = Api(title="capstack", version="1", docs_url=None, urls_namespace="api", parser=StrictParser())
install(api)
api.add_decorator(known_queries_only)
api.add_router("/events", events)
api.add_router("/books", books)
api.add_router("", forecasts)
api.add_router("/policy", plans)
api.add_router("/policy", policy)
api.add_router("/policy", runs)
api.add_router("/policy", savings)
api.add_router("/policy", exclusions)
