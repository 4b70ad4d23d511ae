"""What ``fapiao init`` says and asks before anything is fixed, and which port the demo takes."""

import os
import pty
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chain.errors import MalformedError, UnavailableError
from invoice_service.commands.demo import HOST, choose_port
from tests.cli.town import Town

INIT = [sys.executable, "-m", "invoice_service.cli", "init"]
NAME = "the log is named fapiao.test/log"


def answered(folder: Path, answer: bytes) -> tuple[int, str]:
    """Exit status and error output of ``fapiao init`` on a terminal that answers so."""
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    done = subprocess.run(INIT, stdin=theirs, capture_output=True, cwd=folder, check=False)
    os.close(ours)
    os.close(theirs)
    return done.returncode, done.stderr.decode()


def test_on_a_terminal_the_name_is_asked_for(empty: Town) -> None:
    status, said = answered(empty.folder, b"n\n")
    assert status == 130
    assert NAME in said
    assert not (empty.folder / "var").exists()
    status, said = answered(empty.folder, b"y\n")
    assert status == 0, said
    assert (empty.folder / "var/main/keys/log.key").exists()
    assert NAME not in answered(empty.folder, b"")[1]


def test_without_a_terminal_it_is_said(empty: Town) -> None:
    status, _, said = empty.tried("init", "--if-missing")
    assert status == 0
    assert NAME in said
    assert "service.public_url" in said
    assert empty.tried("init", "--if-missing") == (0, "", "")


def test_the_demo_takes_the_port_that_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setenv("FAPIAO_WEB_PORT", str(port))
        with pytest.raises(UnavailableError, match="FAPIAO_WEB_PORT"):
            choose_port()
    assert choose_port() == port
    monkeypatch.setenv("FAPIAO_WEB_PORT", "many")
    with pytest.raises(MalformedError):
        choose_port()
