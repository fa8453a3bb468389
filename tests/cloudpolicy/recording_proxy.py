"""A small HTTP proxy in front of an AWS-compatible server: it notes every action that is asked for."""

import http.client
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

READING = ("Describe", "Get", "List")


class RecordingProxy:
    """Forwards to `upstream` and counts the `Action` of each request.

    Attributes:
        refusals: HTTP status and body to answer with instead, one per coming request.
    """

    def __init__(self, *, upstream_port: int) -> None:
        self.actions: Counter[str] = Counter()
        self.refusals: list[tuple[int, bytes]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(upstream_port))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def mutating(self) -> Counter[str]:
        """The actions that are not plain reading."""
        return Counter({name: n for name, n in self.actions.items() if not name.startswith(READING)})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self, upstream_port: int) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are written apart: the second would wait 40 ms for an answer to the first.
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                # What cannot be read as a query call counts under its own name, hence as mutating.
                action = parse_qs(body.decode()).get("Action", [f"unreadable {self.path}"])[0]
                proxy.actions[action] += 1
                if proxy.refusals:
                    status, answer = proxy.refusals.pop(0)
                    self._answer(status, answer, "text/xml")
                    return
                upstream = http.client.HTTPConnection("127.0.0.1", upstream_port, timeout=20)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                upstream.request("POST", self.path, body=body, headers=headers)
                response = upstream.getresponse()
                self._answer(response.status, response.read(), response.getheader("Content-Type", "text/xml"))
                upstream.close()

            def _answer(self, status: int, body: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Keep quiet."""

        return Handler
