"""The API against its own document: whatever a client sends, an answer that the document names, never a 500."""

import warnings

import pytest
import schemathesis
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

from ledger.services.tokens import create_token
from tests.conftest import LiveApp
from tests.ledger.conftest import open_company

EXAMPLES_PER_OPERATION = 30
# Not whether everything that fits the document is accepted: it cannot say which accounts a company has.
# A 500 is in no document, so the first check finds it; a 503, where AWS cannot be reached, is.
CHECKED = (
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


@pytest.fixture
def no_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the application look for AWS where nobody listens, never at AWS itself."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


def test_every_operation_answers_as_documented(no_cloud: None, live_app: LiveApp) -> None:
    company = open_company("acme")
    token = create_token(
        company_id=company.id, name="fuzz", scopes=("ingest", "read", "policy"), now=timezone.now()
    )
    schema = schemathesis.openapi.from_url(f"{live_app.url}/api/v1/openapi.json")
    checks = [CHECKS.get_one(name) for name in CHECKED]
    operations = [result.ok() for result in schema.get_all_operations()]
    documented = {status for each in operations for status in each.responses.status_codes}
    assert "500" not in documented
    assert len(operations) >= 8
    for operation in operations:

        @settings(
            max_examples=EXAMPLES_PER_OPERATION,
            derandomize=True,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answers(case: schemathesis.Case) -> None:
            response = case.call(headers={"Authorization": f"Bearer {token}"}, timeout=30)
            case.validate_response(response, checks=checks)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answers()
