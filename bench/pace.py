"""Single issues at a steady pace, whatever the service does: how long each waits from when due.

Who is late with one answer is late for the next order, too, and its wait is counted from when it
was due: a service that stands still for a second is seen to.
"""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from bench.issuing import CountError, together
from bench.service import BODY, Site
from bench.timing import Rate, summary

CLIENTS = 12
PATIENCE = 60.0


def paced_issues(site: Site, rate: float, seconds: float) -> Rate:
    """Issue ``rate`` a second for ``seconds``, over ``CLIENTS`` connections in turns."""
    durations: list[list[float]] = [[] for _ in range(CLIENTS)]
    begin = time.perf_counter() + 0.2

    def client(number: int) -> None:
        durations[number] += _client(site, number, begin, CLIENTS / rate, seconds)

    together(CLIENTS, client)
    return summary([one for mine in durations for one in mine], seconds)


def _client(site: Site, number: int, begin: float, every: float, seconds: float) -> Iterator[float]:
    address = urlsplit(site.url)
    with socket.create_connection((address.hostname, address.port), PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for turn in range(max(1, int(seconds / every))):
            due = begin + (turn + number / CLIENTS) * every
            time.sleep(max(0.0, due - time.perf_counter()))
            _issue(connection, _request(site, f"paced-{begin:.0f}-{number}-{turn}"))
            yield time.perf_counter() - due


def _request(site: Site, order: str) -> bytes:
    body = BODY.replace("ORDER", order).encode()
    head = (
        f"POST /v1/invoices HTTP/1.1\r\nHost: {urlsplit(site.url).netloc}\r\n"
        f"Authorization: Bearer {site.merchant_key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _issue(connection: socket.socket, request: bytes) -> None:
    """Send it and read the whole answer; CountError unless it is 201."""
    connection.sendall(request)
    answer = b""
    while not (head := answer.partition(b"\r\n\r\n"))[1] or len(head[2]) < _length(head[0]):
        more = connection.recv(65_536)
        if not more:
            raise CountError(f"the connection ended within an answer: {answer[:300]!r}")
        answer += more
    if not answer.startswith(b"HTTP/1.1 201 "):
        raise CountError(f"a sale was answered {answer[:500]!r}")


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise CountError(f"an answer without a length: {head!r}")
