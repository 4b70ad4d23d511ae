"""Who listens on a port listens alone."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chain.errors import UnavailableError
from invoice_service.processes.listening import (
    FIRST_DESCRIPTOR,
    VARIABLE,
    inherited,
    listen,
    port_of,
    to_inherit,
)

RACE = """
import sys, time
from chain.errors import UnavailableError
from invoice_service.processes.listening import listen
sys.stdin.readline()
try:
    listener = listen(sys.argv[1], int(sys.argv[2]))
except UnavailableError as error:
    print(error.code, flush=True)
else:
    print("listens", flush=True)
    sys.stdin.readline()
"""


def _racer(host: str, port: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", RACE, host, str(port)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _told(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line)
    process.stdin.flush()


def _said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.slow
@pytest.mark.parametrize("hosts", [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")])  # noqa: S104
def test_of_two_that_start_at_the_same_moment_one_listens(hosts: tuple[str, str]) -> None:
    for _ in range(25):
        with listen("127.0.0.1", 0) as free:
            port = port_of(free)
        racers = [_racer(host, port) for host in hosts]
        for racer in racers:
            _told(racer, "go\n")
        said = sorted(_said(racer) for racer in racers)
        for racer in racers:
            racer.communicate("end\n")
        assert said == ["listens", "port_in_use"]


def test_nobody_joins_who_would_share_the_port() -> None:
    with listen("127.0.0.1", 0) as listener, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(listener.getsockname())


def test_an_address_of_version_6_will_do() -> None:
    with listen("::1", 0) as listener, socket.create_connection(("::1", port_of(listener))):
        assert listener.family == socket.AF_INET6


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "x" * 300])
def test_other_trouble_has_a_code_of_its_own(host: str) -> None:
    with pytest.raises(UnavailableError, match=host) as caught:
        listen(host, 0)
    assert caught.value.code == "address_unusable"


def test_it_is_handed_on_by_its_number() -> None:
    with listen("127.0.0.1", 0) as listener:
        number = to_inherit(listener)
        assert number >= FIRST_DESCRIPTOR
        ours = inherited({VARIABLE: str(number)})
        os.close(number)
        assert ours is not None
        with ours:
            assert ours.getsockname() == listener.getsockname()
    assert inherited({}) is None
