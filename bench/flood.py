"""The flood: everything that holds others up, at once, beside one till and one phone.

``python -m bench.flood [--small]`` prints how long the two waited, what memory all processes took
together, and whether anything acknowledged was lost; exit status 1 if something was.
"""

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from socket import create_connection, socket
from urllib.parse import urlsplit

import msgspec

from bench.beside import other_key
from bench.processes import tree
from bench.service import BODY, Site, make_site, served
from chain.commitment import parse_password_area
from invoice_service.config import Rate
from invoice_service.wiring import open_instance

PATIENCE = 120.0  # seconds after which a client gives up
MOST_MEMORY = 600.0  # MiB of all processes together
LIST = b"x\n" * 16_500_000
SCAN = f"/verify/scan?hash=01{'0' * 64}&bill_num=00000001&total_amount=1"
CHECK = b'{"hash":"01%064x","bill_num":"00000001","total_amount":"1"}\n'
HEAD = b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 12_000  # without an end
AHEAD = f"GET {SCAN} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 200
NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything; ``seconds`` is the least time for which it goes on."""

    halves: int = 24
    heads: int = 600
    ahead: int = 10
    silent: int = 1_100
    slow: int = 12
    batches: int = 8
    records: int = 5_000
    lists: int = 4
    seconds: float = 30.0


WHOLE = Size()
SMALL = Size(
    halves=12, heads=80, ahead=4, silent=150, slow=4, batches=2, records=400, lists=1, seconds=8.0
)


@dataclass
class Result:
    """What came of it. Waits in seconds, memory in MiB (PSS, summed over the processes)."""

    till: list[float] = field(default_factory=list)
    phone: list[float] = field(default_factory=list)
    memory: float = 0.0
    lists: list[int] = field(default_factory=list)
    """The statuses that the senders of large lists saw."""
    acknowledged: list[str] = field(default_factory=list)
    lost: int = 0
    failures: list[str] = field(default_factory=list)


class Flood:
    """The clients, each from an address of its own kind on the loopback network."""

    def __init__(self, site: Site, size: Size, other_key: str, strangers: frozenset[int]) -> None:
        place = urlsplit(site.url)
        self._place = (place.hostname or "", place.port or 0)
        self._site, self._size, self._other_key = site, size, other_key
        self._over = threading.Event()
        self._strangers = strangers
        self.result = Result()

    def run(self) -> Result:
        """All at once, until the batches and lists are through and the time is up."""
        size = self._size
        steady = [self._till, self._phone, self._watch_memory, self._keep_silent, self._keep_halves]
        steady += [self._keep_heads, *[self._ahead] * size.ahead]
        ending = [*[self._slow] * size.slow, *[self._list] * size.lists]
        ending += [self._batch] * size.batches
        numbers = count()
        began = time.monotonic()
        threads = [threading.Thread(target=self._guard, args=(job, 0)) for job in steady]
        last = [threading.Thread(target=self._guard, args=(job, next(numbers))) for job in ending]
        for thread in [*threads, *last]:
            thread.start()
        for thread in last[size.slow :]:
            thread.join()
        self._over.wait(max(0.0, began + size.seconds - time.monotonic()))
        self._over.set()
        for thread in [*threads, *last]:
            thread.join()
        return self.result

    def _guard(self, job: Callable[[int], None], number: int) -> None:
        try:
            job(number)
        except Exception as error:  # noqa: BLE001 # a thread's own would be lost
            self.result.failures.append(f"{job.__name__}: {error!r}")

    def _call(self, address: str) -> http.client.HTTPConnection:
        host, port = self._place
        return http.client.HTTPConnection(host, port, PATIENCE, source_address=(address, 0))

    def _every_second(self) -> Iterator[None]:
        while not self._over.is_set():
            yield
            self._over.wait(1.0)

    def _till(self, _number: int) -> None:
        """Issues once a second."""
        line = self._call("127.0.0.1")
        for number, _ in enumerate(self._every_second()):
            body = BODY.replace("ORDER", f"till-{number}").encode()
            began = time.perf_counter()
            line.request("POST", "/v1/invoices", body, _headers(self._site.merchant_key))
            answer = line.getresponse()
            said = json.loads(answer.read())
            self.result.till.append(time.perf_counter() - began)
            if answer.status == 201:
                self.result.acknowledged.append(said["hash"])
            else:
                self.result.failures.append(f"till: {answer.status} {said}")

    def _phone(self, _number: int) -> None:
        """Scans once a second, always from a new connection."""
        for _ in self._every_second():
            began = time.perf_counter()
            line = self._call("127.0.1.1")
            line.request("GET", SCAN)
            answer = line.getresponse()
            answer.read()
            line.close()
            self.result.phone.append(time.perf_counter() - began)
            if answer.status != 200:
                self.result.failures.append(f"phone: {answer.status}")

    def _watch_memory(self, _number: int) -> None:
        while not self._over.wait(0.5):
            own = (process.pss for process in tree() if process.id not in self._strangers)
            self.result.memory = max(self.result.memory, sum(own))

    def _keep_silent(self, _number: int) -> None:
        """Connections that say nothing; whoever is closed comes again."""
        self._keep(self._size.silent, "127.0.2", b"")

    def _keep_halves(self, _number: int) -> None:
        """Requests whose bodies never come."""
        head = b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        self._keep(self._size.halves, "127.0.3", head + b"Content-Length: 1000\r\n\r\n{")

    def _keep_heads(self, _number: int) -> None:
        """Heads of very many short lines that have no end."""
        self._keep(self._size.heads, "127.0.7", HEAD)

    def _ahead(self, _number: int) -> None:
        """Asks again and again without waiting for an answer; whoever is closed comes again."""
        while not self._over.is_set():
            with suppress(OSError), self._open("127.0.8.1", b"") as line:
                line.setblocking(True)  # noqa: FBT003 # the function takes no keyword
                while not self._over.is_set():
                    line.sendall(AHEAD)
                    _take(line, AHEAD.count(b"GET "))
            self._over.wait(0.1)

    def _keep(self, wanted: int, network: str, said: bytes) -> None:
        lines: list[socket] = []
        while not self._over.is_set():
            lines = [line for line in lines if _is_open(line)]
            while len(lines) < wanted and not self._over.is_set():
                lines.append(self._open(f"{network}.{1 + len(lines) % 8}", said))
            self._over.wait(0.5)
        for line in lines:
            line.close()

    def _open(self, address: str, said: bytes) -> socket:
        line = create_connection(self._place, timeout=PATIENCE, source_address=(address, 0))
        with suppress(OSError):  # what is refused while it comes is no fault
            line.sendall(said)
        line.setblocking(False)  # noqa: FBT003 # the function takes no keyword
        return line

    def _slow(self, number: int) -> None:
        """Asks for much and reads a byte a second."""
        records = b"".join(CHECK % number for number in range(2_000))
        line = self._call(f"127.0.4.{number + 1}")
        line.request("POST", "/v1/verifications", records, NDJSON)
        for _ in self._every_second():
            try:
                line.sock.recv(1)
            except OSError:
                return
        line.close()

    def _list(self, number: int) -> None:
        """Sends far too many records, and wants to hear that."""
        line = self._call(f"127.0.5.{number + 1}")
        line.request("POST", "/v1/verifications", LIST, NDJSON)
        self.result.lists.append(line.getresponse().status)
        line.close()

    def _batch(self, number: int) -> None:
        """Another merchant's orders."""
        line = self._call("127.0.6.1")
        orders = (BODY.replace("ORDER", f"batch-{number}-{n}") for n in range(self._size.records))
        headers = _headers(self._other_key) | NDJSON
        line.request("POST", "/v1/invoices/batch", "\n".join(orders).encode(), headers)
        answer = line.getresponse()
        for text in answer:
            record = json.loads(text)
            if record["status"] == 201:
                self.result.acknowledged.append(record["invoice"]["hash"])
            else:
                self.result.failures.append(f"batch: {record}")
        line.close()


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def _take(line: socket, answers: int) -> None:
    """Read until so many have begun. OSError when the line ends before."""
    while answers > 0:
        data = line.recv(65536)
        if not data:
            raise ConnectionResetError
        answers -= data.count(b"HTTP/1.1 ")


def _is_open(line: socket) -> bool:
    try:
        return line.recv(4096) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def flood(folder: Path, size: Size) -> Result:
    """Make an instance below ``folder``, serve it, flood it, and look for all that was promised."""
    rates = msgspec.structs.asdict(Rate())  # those that hold where nothing is set
    site = make_site(folder, **{f"rate_{name}": str(value) for name, value in rates.items()})
    key = other_key(site)
    # Whoever measures may have other children: a test run shares its browser.
    strangers = frozenset(process.id for process in tree())
    with served(site):
        result = Flood(site, size, key, strangers).run()
    result.lost = _missing(site, result.acknowledged)
    return result


def _missing(site: Site, hashes: list[str]) -> int:
    instance = open_instance(site.config)
    try:
        found = (instance.store.invoice(parse_password_area(hash_)) for hash_ in hashes)
        return sum(invoice is None for invoice in found)
    finally:
        instance.close()


def main() -> int:
    """Run it and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.flood", description=__doc__)
    parser.add_argument("--small", action="store_true")
    size = SMALL if parser.parse_args().small else WHOLE
    with tempfile.TemporaryDirectory(prefix="fapiao-flood-") as name:
        result = flood(Path(name), size)
    for who, waits in (("till", result.till), ("phone", result.phone)):
        print(f"{who}: {len(waits)} answers, longest wait {max(waits, default=0):.2f} s")
    print(f"memory of all processes: {result.memory:.0f} MiB at most")
    print(f"acknowledged: {len(result.acknowledged)}, lost: {result.lost}")
    print(f"large lists were answered {result.lists}")
    for failure in result.failures[:10]:
        print(f"failed: {failure}")
    return int(bool(result.failures) or result.lost > 0 or result.memory > MOST_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
