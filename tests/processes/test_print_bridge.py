"""The bridge to a printer, over real sockets: printers that are away, slow, or break off."""

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from chain.errors import MalformedError
from invoice_service.commands.print_bridge import LIMITS
from invoice_service.processes.print_bridge import (
    MAX_BYTES,
    Bridge,
    NetworkPrinter,
    Place,
    parse_origin,
    parse_place,
)
from tests.front.stage import Client, json_of, stage, status
from tests.patience import NEVER, PATIENCE, wait_until

OURS: Final = "https://fapiao.example.cn"
SLIP: Final = b"\x1b@" + bytes(range(256)) * 40
SOON: Final = 0.3
"""Seconds of a limit that a test waits for: only the code that it gives is looked at."""

Behaviour = Callable[[socket.socket], None]


class PrinterBox:
    """A printer on port 9100, or what stands there instead of one."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # as a printer has
        self.place = Place(*self.listener.getsockname()[:2])
        self.jobs: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with line:
                self._behave(line)

    def prints(self, line: socket.socket) -> None:
        job = b""
        while data := line.recv(65536):
            job += data
        self.jobs.append(job)


@contextmanager
def printer(behave: Behaviour | None = None) -> Iterator[PrinterBox]:
    """A good one, unless told how to behave."""
    box = PrinterBox(behave or (lambda line: box.prints(line)))
    try:
        yield box
    finally:
        box.listener.close()


@contextmanager
def bridge(place: Place, seconds: float = NEVER) -> Iterator[tuple[str, int]]:
    """A bridge to it, for our page; where it listens."""
    app = Bridge(NetworkPrinter(place, seconds, settle=SOON), [OURS])
    with stage(app, LIMITS) as where:
        yield where


def said(method: str, *headers: str, path: str = "/print", host: str = "127.0.0.1:9101") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def posted(
    job: bytes,
    origin: str | None = OURS,
    kind: str = "application/octet-stream",
    path: str = "/print",
    host: str = "127.0.0.1:9101",
) -> bytes:
    headers = [f"Content-Length: {len(job)}", f"Content-Type: {kind}"]
    headers += [f"Origin: {origin}"] if origin else []
    return said("POST", *headers, path=path, host=host) + job


def head_of(answer: bytes) -> str:
    return answer.partition(b"\r\n\r\n")[0].decode().lower()


def test_a_slip_reaches_the_printer_as_it_is() -> None:
    with printer() as box, bridge(box.place) as where, Client(where) as client:
        answer = client.say(posted(SLIP)).answer()
        assert (status(answer), json_of(answer)) == (200, {"sent": len(SLIP)})
        assert f"access-control-allow-origin: {OURS}" in head_of(answer)
        wait_until(lambda: box.jobs == [SLIP], "it is printed")


def test_a_printer_that_never_stops_talking_is_heard_out_for_a_while() -> None:
    jobs, enough = list[bytes](), threading.Event()

    def talk(line: socket.socket) -> None:
        job = b""
        while data := line.recv(65536):
            job += data
        jobs.append(job)
        while not enough.wait(SOON / 10):
            line.send(b"\x10\x04\x01\x12")  # as with automatic status back

    with printer(talk) as box, bridge(box.place) as where, Client(where) as client:
        assert status(client.say(posted(SLIP)).answer()) == 200
        enough.set()
    assert jobs == [SLIP]


def test_slips_come_one_after_the_other() -> None:
    slips = [bytes([n]) * 50_000 for n in range(6)]
    with printer() as box, bridge(box.place) as where:
        clients = [Client(where).say(posted(slip)) for slip in slips]
        assert {status(client.answer()) for client in clients} == {200}
        wait_until(lambda: len(box.jobs) == len(slips), "all are printed")
        for client in clients:
            client.line.close()
    assert sorted(box.jobs) == slips


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", f"{OURS}.evil.example", "http://fapiao.example.cn", "*"],
)
def test_another_page_prints_nothing_and_learns_nothing(origin: str | None) -> None:
    with printer() as box, bridge(box.place) as where:
        for asked in (posted(SLIP, origin), said("OPTIONS", f"Origin: {origin}")):
            with Client(where) as client:
                answer = client.say(asked).answer()
            assert (status(answer), json_of(answer)["code"]) == (403, "origin_not_allowed")
            assert "access-control" not in head_of(answer)
        assert box.jobs == []


def test_a_name_that_leads_to_this_machine_is_not_ours() -> None:
    with printer() as box, bridge(box.place) as where, Client(where) as client:
        answer = client.say(posted(SLIP, host="rebound.example:9101")).answer()
        assert (status(answer), json_of(answer)["code"]) == (403, "host_invalid")
        assert box.jobs == []


def test_a_browser_is_told_what_our_page_may_do() -> None:
    asked = said(
        "OPTIONS",
        f"Origin: {OURS}",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: content-type",
        "Access-Control-Request-Private-Network: true",
    )
    with printer() as box, bridge(box.place) as where, Client(where) as client:
        answer = head_of(
            client.say(asked, said("GET", f"Origin: {OURS}", "Connection: close")).rest()
        )
        assert answer.startswith("http/1.1 204 ")
        assert "access-control-allow-methods: post" in answer
        assert "access-control-allow-headers: content-type" in answer
        assert "access-control-allow-private-network: true" in answer


@pytest.mark.parametrize(
    ("asked", "found", "code"),
    [
        (posted(SLIP, kind="text/plain"), 415, "unsupported_media_type"),
        (posted(SLIP, kind="application/x-www-form-urlencoded"), 415, "unsupported_media_type"),
        (posted(SLIP, path="/"), 404, "no_such_address"),
        (said("GET", f"Origin: {OURS}"), 405, "method_not_allowed"),
        (posted(b""), 400, "empty_body"),
        (posted(bytes(MAX_BYTES + 1)), 413, "body_too_large"),
    ],
)
def test_what_is_no_slip_is_refused(asked: bytes, found: int, code: str) -> None:
    with printer() as box, bridge(box.place) as where, Client(where) as client:
        answer = client.say(asked).answer()
        assert (status(answer), json_of(answer)["code"]) == (found, code)
        assert f"access-control-allow-origin: {OURS}" in head_of(answer)  # our page may know why
        assert box.jobs == []


def test_a_slip_that_was_cut_off_on_its_way_is_not_printed() -> None:
    with printer() as box, bridge(box.place) as where:
        with Client(where) as client:
            client.say(posted(SLIP)[:-10]).half_close()
            assert b" 200 " not in client.rest()
        with Client(where) as client:
            assert status(client.say(posted(b"next")).answer()) == 200
        wait_until(lambda: box.jobs == [b"next"], "the next one alone is printed")


def refused(place: Place, seconds: float = NEVER, job: bytes = SLIP) -> tuple[int, str]:
    """(status, code) with which a slip comes back."""
    with bridge(place, seconds) as where, Client(where) as client:
        answer = client.say(posted(job)).answer()
        return status(answer), str(json_of(answer)["code"])


def stuck(held: threading.Event) -> Behaviour:
    """Takes what fits into its memory, and then nothing more until it is let go on."""

    def behave(_: socket.socket) -> None:
        held.wait(PATIENCE)

    return behave


def test_a_printer_that_is_away_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = Place(*taken.getsockname()[:2])
    assert refused(place) == (503, "printer_away")


def test_a_printer_that_takes_nothing_is_given_up() -> None:
    held = threading.Event()
    with printer(stuck(held)) as box:
        assert refused(box.place, SOON, bytes(MAX_BYTES)) == (504, "printer_slow")
        held.set()


@pytest.mark.parametrize("taken", [100, len(SLIP)], ids=["at once", "at the end"])
def test_a_printer_that_breaks_off_is_named_and_the_next_slip_is_printed(taken: int) -> None:
    def once(line: socket.socket) -> None:
        if broken:
            box.prints(line)
            return
        broken.append(True)
        left = taken
        while left:
            left -= len(line.recv(left))
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    broken: list[bool] = []
    with printer(once) as box, bridge(box.place) as where, Client(where) as client:
        answer = client.say(posted(SLIP)).answer()
        assert (status(answer), json_of(answer)["code"]) == (502, "printer_broke_off")
        assert status(client.say(posted(b"next")).answer()) == 200
        wait_until(lambda: box.jobs == [b"next"], "the next one is printed")


def test_a_printer_may_say_what_it_likes() -> None:
    """Half a status, as printers send it unasked; and no goodbye."""

    def talks(line: socket.socket) -> None:
        line.sendall(b"\x14\x00")
        box.prints(line)
        line.sendall(b"\x14")

    with printer(talks) as box, bridge(box.place) as where, Client(where) as client:
        assert status(client.say(posted(SLIP)).answer()) == 200
        wait_until(lambda: box.jobs == [SLIP], "it is printed")


def test_a_printer_that_stays_on_the_line_has_taken_the_slip() -> None:
    held = threading.Event()

    def stays(line: socket.socket) -> None:
        box.prints(line)
        held.wait(PATIENCE)

    with printer(stays) as box, bridge(box.place) as where, Client(where) as client:
        assert status(client.say(posted(SLIP)).answer()) == 200
        held.set()


def test_who_waits_for_a_printer_in_use_is_told_in_the_end() -> None:
    held = threading.Event()
    with printer(stuck(held)) as box:
        with bridge(box.place, SOON) as where, Client(where) as first, Client(where) as second:
            large = posted(bytes(MAX_BYTES))
            answers = [one.say(large).answer() for one in (first, second)]
            assert {status(answer) for answer in answers} <= {503, 504}
        held.set()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("192.168.1.50", Place("192.168.1.50", 9100)),
        ("192.168.1.50:9101", Place("192.168.1.50", 9101)),
        ("[fd00::7]", Place("fd00::7", 9100)),
        ("[fd00::7]:515", Place("fd00::7", 515)),
    ],
)
def test_printers_have_addresses(text: str, place: Place) -> None:
    assert parse_place(text) == place


NO_PLACES = (
    *("", "printer.local", "192.168.1", "192.168.1.50:0", "192.168.1.50:65536"),
    *("1.2.3.4:x", "::1", "tcp://1.2.3.4"),
)


@pytest.mark.parametrize("text", NO_PLACES)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedError) as wrong:
        parse_place(text)
    assert wrong.value.code == "printer_address"


def test_origins_are_read_as_browsers_send_them() -> None:
    assert parse_origin("https://Fapiao.Example.cn/") == OURS
    assert parse_origin("http://127.0.0.1:8000") == "http://127.0.0.1:8000"
    for text in ("fapiao.example.cn", "https://a/b", "*", "null", "file://x", "https://a b"):
        with pytest.raises(MalformedError) as wrong:
            parse_origin(text)
        assert wrong.value.code == "origin_malformed"


def test_the_command_serves_until_it_is_stopped() -> None:
    command = [sys.executable, "-m", "invoice_service.cli", "print-bridge", "--port", "0"]
    with printer() as box:
        command += ["--origin", OURS, "--printer", f"127.0.0.1:{box.place.port}"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        ) as running:
            assert running.stdout is not None
            told = running.stdout.readline().decode()
            port = int(told.partition("http://127.0.0.1:")[2].partition("/")[0])
            with Client(("127.0.0.1", port)) as client:
                assert status(client.say(posted(SLIP)).answer()) == 200
            running.terminate()
            assert running.wait(PATIENCE) == 0
        wait_until(lambda: box.jobs == [SLIP], "it is printed")
