"""A load generator for machines without `wrk`: open connections, one call after the other on each."""

from __future__ import annotations

import asyncio
import sys
import time
from itertools import count

from bench.load import NUMBER

_NUMBERS = count(1)


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, status: bytes, times: list[float]) -> None:
        self.request, self.status, self.times = request, status, times
        self.errors, self.stopped = 0, False
        self.buffer = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.sent = time.perf_counter()
        self.transport.write(self.request.replace(NUMBER.encode(), b"%08d" % next(_NUMBERS)))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, mark, body = self.buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self.times.append(time.perf_counter() - self.sent)
        self.errors += not head.startswith(b"HTTP/1.1 " + self.status)
        self.buffer = b""
        if not self.stopped:
            self.send()


async def main() -> None:
    """Print calls a second, the 50th and 99th percentile in milliseconds, and how many had another status."""
    port, method, path, body, status, seconds, many = sys.argv[1:8]
    headers = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-portkey-api-key: bench\r\n"
    if body:
        headers += f"content-type: application/json\r\ncontent-length: {len(body.encode())}\r\n"
    request = headers.encode() + b"\r\n" + body.encode()
    times: list[float] = []
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(int(many)):
        _, protocol = await loop.create_connection(lambda: _Connection(request, status.encode(), times), "127.0.0.1", int(port))
        connections.append(protocol)
    started = time.perf_counter()
    await asyncio.sleep(float(seconds))
    elapsed = time.perf_counter() - started
    for connection in connections:
        connection.stopped = True
    times.sort()
    errors = sum(connection.errors for connection in connections)
    print(len(times) / elapsed, times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000, errors)


if __name__ == "__main__":
    asyncio.run(main())
