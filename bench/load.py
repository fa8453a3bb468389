"""A small HTTP/1.1 load generator: open loop at a constant rate, or closed loop on a few connections.

In the open loop a request is due at a fixed instant whether or not earlier ones were answered, and its latency
counts from that instant: waiting in a queue is part of it (no coordinated omission).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(slots=True)
class Sample:
    """What a run measured: latencies in seconds in order of completion, answers by status, elapsed seconds."""

    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0

    def percentile_ms(self, percent: float) -> float:
        return float(np.percentile(self.latencies, percent)) * 1000

    @property
    def requests_per_second(self) -> float:
        return len(self.latencies) / self.seconds


class _Connection(asyncio.Protocol):
    """One keep-alive connection with one request in flight; answers must carry Content-Length."""

    def __init__(self) -> None:
        self.buffer = b""
        self.waiting: asyncio.Future[int] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head_end = self.buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self.buffer[:head_end].lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(self.buffer) < head_end + 4 + length:
            return
        status, self.buffer = int(self.buffer[9:12]), self.buffer[head_end + 4 + length :]
        waiting, self.waiting = self.waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(exc or ConnectionError("the server closed the connection"))

    async def send(self, request: bytes) -> int:
        assert self.transport is not None
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.waiting


def post(path: str, body: bytes, *, token: str, content_type: str = "application/json") -> bytes:
    """The bytes of one POST request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _connect(port: int, count: int) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(_Connection, "127.0.0.1", port))[1] for _ in range(count)]


def open_loop(
    make_request: Callable[[int], bytes], *, port: int, per_second: int, seconds: float, connections: int = 32
) -> Sample:
    """Send at a constant rate; `make_request(i)` gives the bytes of request i."""

    async def run() -> Sample:
        sample = Sample()
        idle: asyncio.Queue[_Connection] = asyncio.Queue()
        for connection in await _connect(port, connections):
            idle.put_nowait(connection)

        async def one(number: int, due: float) -> None:
            connection = await idle.get()
            status = await connection.send(make_request(number))
            idle.put_nowait(connection)
            sample.latencies.append(time.perf_counter() - due)
            sample.statuses[status] = sample.statuses.get(status, 0) + 1

        start = time.perf_counter()
        tasks = []
        for number in range(int(per_second * seconds)):
            due = start + number / per_second
            pause = due - time.perf_counter()
            if pause > 0:
                await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(one(number, due)))
        await asyncio.gather(*tasks)
        sample.seconds = time.perf_counter() - start
        return sample

    return asyncio.run(run())


def closed_loop(
    make_request: Callable[[int], bytes], *, port: int, seconds: float, connections: int = 8
) -> Sample:
    """Each connection sends its next request as soon as it has its answer."""

    async def run() -> Sample:
        sample = Sample()
        numbers = iter(range(1 << 62))
        start = time.perf_counter()

        async def client(connection: _Connection) -> None:
            while (begun := time.perf_counter()) - start < seconds:
                status = await connection.send(make_request(next(numbers)))
                sample.latencies.append(time.perf_counter() - begun)
                sample.statuses[status] = sample.statuses.get(status, 0) + 1

        await asyncio.gather(*(client(connection) for connection in await _connect(port, connections)))
        sample.seconds = time.perf_counter() - start
        return sample

    return asyncio.run(run())
