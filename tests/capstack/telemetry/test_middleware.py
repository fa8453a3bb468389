import json
import logging

import pytest
import structlog
from django.http import HttpResponse
from django.test import Client, RequestFactory

from capstack.telemetry.logs import logging_config
from capstack.telemetry.middleware import RequestIdMiddleware


def answer(given: str | None, view=lambda request: HttpResponse("fine")):
    headers = {} if given is None else {"X-Request-ID": given}
    return RequestIdMiddleware(view)(RequestFactory().get("/somewhere?token=hush", headers=headers))


def test_a_sane_id_is_taken_over_and_sent_back():
    assert answer("deploy-7.check:42")["X-Request-ID"] == "deploy-7.check:42"


@pytest.mark.parametrize("given", [None, "", "two words", "line\nbreak", "x" * 65, "<script>"])
def test_anything_else_is_replaced_by_an_id_of_our_own(given):
    drawn = answer(given)["X-Request-ID"]
    assert drawn != given
    assert len(drawn) == 32
    assert answer(given)["X-Request-ID"] != drawn


def test_what_is_logged_during_a_request_carries_its_id():
    seen = {}

    def view(request):
        seen.update(structlog.contextvars.get_contextvars())
        return HttpResponse("fine")

    answer("abc", view)
    assert seen == {"request_id": "abc"}
    assert structlog.contextvars.get_contextvars() == {}, "the next request would carry it too"


def test_an_error_is_logged_without_the_query_string(caplog):
    with caplog.at_level(logging.INFO, logger="capstack.telemetry.middleware"):
        answer("abc", lambda request: HttpResponse("no", status=404))
    (line,) = caplog.records
    assert (line.path, line.status, line.method) == ("/somewhere", 404, "GET")
    assert "hush" not in str(vars(line))


def test_the_name_of_another_host_is_one_line_of_the_log(caplog):
    assert Client().get("/sign-in", headers={"host": "evil.example"}).status_code == 400
    (line,) = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert "evil.example" in line.getMessage()
    assert line.exc_info is None


def test_a_line_of_the_log_is_one_json_object_with_its_extras():
    config = logging_config(level="INFO", log_format="json")["formatters"]["structured"]
    formatter = config["()"](foreign_pre_chain=config["foreign_pre_chain"], processors=config["processors"])
    try:
        raise ValueError("out of luck")
    except ValueError as error:
        failure = (type(error), error, error.__traceback__)
    record = logging.LogRecord("ledger", logging.WARNING, __file__, 1, "two\nlines", (), failure)
    record.company_id = 7
    record.request = "GET /?token=hush"
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        text = formatter.format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["event"], line["level"], line["logger"]) == ("two\nlines", "warning", "ledger")
    assert (line["company_id"], line["request_id"]) == (7, "abc")
    assert "ValueError: out of luck" in line["exception"]
    assert line["timestamp"].endswith("Z")
    assert "hush" not in text
