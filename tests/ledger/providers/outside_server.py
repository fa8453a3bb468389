"""A small real HTTP server that stands in for somebody outside, on the loopback and for one test."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()


class OutsideServer:
    """Answers by path with what a test put there, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: dict[str, Callable[[Asked], Reply]] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
                owner.asked.append(asked)
                reply_to = owner.replies.get(self.path.split("?")[0])
                reply = reply_to(asked) if reply_to else Reply(404, {"error": "nothing here"})
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(reply.body)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = answer  # noqa: N815 -- http.server names them

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, path: str, reply: Reply | Callable[[Asked], Reply]) -> None:
        self.replies[path] = (lambda _: reply) if isinstance(reply, Reply) else reply

    def asked_for(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path.split("?")[0] == path]


@contextmanager
def outside_server() -> Iterator[OutsideServer]:
    server = OutsideServer()
    thread = threading.Thread(target=server._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server._server.shutdown()
        server._server.server_close()
        thread.join(timeout=5)
