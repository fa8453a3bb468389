"""AWS's manners in front of an AWS-compatible server: it refuses what AWS refuses, and fails as AWS fails."""

import http.client
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from cloudpolicy.engine.policy import PROCESSES
from tests.cloudpolicy.budgets_of_aws import BUDGET_ACTIONS, answer_budgets

READING = ("Describe", "Get", "List", "AssumeRole")
UPDATE = "UpdateAutoScalingGroup"
# What a changing request is about, by its first parameter of these that it carries.
SUBJECTS = (
    "AutoScalingGroupName",
    "InstanceId.1",
    "DBInstanceIdentifier",
    "SpotInstanceRequestId.1",
    "BudgetName",
)
_STATES = {"StopInstances": ("pending", "running"), "StartInstances": ("stopped", "stopping")}


@dataclass
class Trouble:
    """What happens to coming requests of one action, instead of or after doing it.

    Attributes:
        status, code: of the answer; status 0 gives none and closes the connection. A page in place of a code is
            the whole answer.
        does_it: whether the request reaches the server all the same, as it may when an answer gets lost.
        seconds: to wait before answering.
        skip: requests of the action that pass before.
    """

    action: str
    status: int = 0
    code: str = ""
    does_it: bool = False
    seconds: float = 0.0
    skip: int = 0


@dataclass
class StrictProxy:
    """Forwards to a server and judges what is asked.

    Attributes:
        actions: how often each action was asked for.
        sets: how often each group or resource was changed, as far as the server was asked to.
        troubles: what goes wrong, first come first served.
        before: called with the parameters of each changing request, before it is done.
    """

    upstream_port: int
    actions: Counter[str] = field(default_factory=Counter)
    sets: Counter[str] = field(default_factory=Counter)
    troubles: list[Trouble] = field(default_factory=list)
    before: Callable[[dict[str, str]], None] | None = None

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._tokens: dict[str, tuple[int, bytes]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def mutating(self) -> Counter[str]:
        """The actions that are not plain reading."""
        return Counter({name: n for name, n in self.actions.items() if not name.startswith(READING)})

    def forget(self) -> None:
        """Count from here on."""
        self.actions.clear()
        self.sets.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: dict[str, str], body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        action = asked.get("Action", "unreadable")
        with self._lock:
            self.actions[action] += 1
            trouble = self._next_trouble(action)
        if self.before is not None and not action.startswith(READING):
            self.before(asked)
        if trouble is not None:
            if trouble.does_it:
                self._do(action, asked, body, headers)
            time.sleep(trouble.seconds)
            if trouble.status != 200:
                if trouble.code.startswith("<"):
                    return trouble.status, trouble.code.encode()
                return trouble.status, _error_like(headers, trouble.code, "as the test wants it")
            if trouble.does_it:
                return 0, b""
        refusal = self._refusal(action, asked, headers)
        if refusal is not None:
            return refusal
        return self._do(action, asked, body, headers)

    def _next_trouble(self, action: str) -> Trouble | None:
        for trouble in self.troubles:
            if trouble.action != action:
                continue
            if trouble.skip:
                trouble.skip -= 1
                return None
            self.troubles.remove(trouble)
            return trouble
        return None

    def _do(self, action: str, asked: dict[str, str], body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        token = asked.get("ClientToken", "")
        if token in self._tokens:
            return self._tokens[token]  # AWS answers a repeated token as it did at first.
        if not action.startswith((*READING, "CreateAuto")):
            self.sets.update(asked[key] for key in SUBJECTS if key in asked)
        if action in BUDGET_ACTIONS:
            return answer_budgets(action, json.loads(body))
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=20)
        upstream.request("POST", "/", body=body, headers=headers)
        response = upstream.getresponse()
        answer = response.status, response.read()
        upstream.close()
        if token and answer[0] == 200:
            self._tokens[token] = answer
        return answer

    def _refusal(self, action: str, asked: dict[str, str], headers: dict[str, str]) -> tuple[int, bytes] | None:
        """Refuse what AWS refuses and the server does not."""
        if action in ("SuspendProcesses", "ResumeProcesses"):
            named = {value for key, value in asked.items() if key.startswith("ScalingProcesses.member.")}
            if not named or named - set(PROCESSES):
                return 400, _error("ValidationError", f"no such process among {sorted(named)}")
        if action in _STATES:
            state = self._state(asked["InstanceId.1"], headers)
            if state not in _STATES[action]:
                return 400, _error_like(headers, "IncorrectInstanceState", f"the instance is {state}")
        if action != UPDATE:
            return None
        name = asked["AutoScalingGroupName"]
        now = self._sizes(name, headers)
        if now is None:
            return 400, _error("ValidationError", f"AutoScalingGroup name not found - {name}")
        least, most, desired = (
            int(asked.get(key, value))
            for key, value in zip(("MinSize", "MaxSize", "DesiredCapacity"), now, strict=True)
        )
        if min(least, most, desired) < 0:
            return 400, _error("ValidationError", "a size must not be negative")
        if least > most:
            return 400, _error("ValidationError", "Max bound must be greater than or equal to min bound")
        if not least <= desired <= most:
            return 400, _error("ValidationError", f"Desired capacity {desired} must be between {least} and {most}")
        return None

    def _ask(self, query: str, headers: dict[str, str]) -> str:
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=20)
        upstream.request("POST", "/", body=query.encode(), headers={**headers, "Content-Length": str(len(query))})
        text = upstream.getresponse().read().decode()
        upstream.close()
        return text

    def _state(self, instance: str, headers: dict[str, str]) -> str:
        query = f"Action=DescribeInstances&Version=2016-11-15&InstanceId.1={instance}"
        return _between(_between(self._ask(query, headers), "instanceState"), "name")

    def _sizes(self, name: str, headers: dict[str, str]) -> tuple[int, int, int] | None:
        query = f"Action=DescribeAutoScalingGroups&Version=2011-01-01&AutoScalingGroupNames.member.1={name}"
        text = self._ask(query, headers)
        found = [_between(text, key) for key in ("MinSize", "MaxSize", "DesiredCapacity")]
        return None if "" in found else (int(found[0]), int(found[1]), int(found[2]))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are written apart: the second would wait 40 ms for an answer to the first.
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                asked = _asked(headers, body)
                status, answer = proxy.answer(asked, body, headers)
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Type", _JSON if _target(headers) else "text/xml")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                """Keep quiet."""

        return Handler


_JSON = "application/x-amz-json-1.1"


def _target(headers: dict[str, str]) -> str:
    """The action of a request in JSON; '' for one in AWS's query protocol."""
    return headers.get("X-Amz-Target", "").rpartition(".")[2]


def _asked(headers: dict[str, str], body: bytes) -> dict[str, str]:
    target = _target(headers)
    if not target:
        return {key: values[0] for key, values in parse_qs(body.decode()).items()}
    content = json.loads(body)
    named = content.get("Budget") or content.get("NewBudget") or {}
    return {"Action": target, **{key: str(value) for key, value in {**named, **content}.items()}}


def _error_like(headers: dict[str, str], code: str, message: str) -> bytes:
    """An error in the form of the service that was asked."""
    if _target(headers):
        return json.dumps({"__type": code, "message": message}).encode()
    return _error(code, message, is_ec2="/ec2/aws4_request" in headers.get("Authorization", ""))


def _between(text: str, key: str) -> str:
    return text.partition(f"<{key}>")[2].partition(f"</{key}>")[0]


def _error(code: str, message: str, *, is_ec2: bool = False) -> bytes:
    request_id = uuid.uuid4()
    if is_ec2:
        error = f"<Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></Errors>"
        return f"<Response>{error}<RequestID>{request_id}</RequestID></Response>".encode()
    return (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()
