"""The code of setting up as it is kept: digests, ends, one session, shared by processes."""

import random
import threading
from pathlib import Path

import pytest

from chain.errors import RefusedError
from invoice_service.keys.setup import CODE_SECONDS, SESSION_SECONDS, SetupFile, plain_code

NOON = 1_795_000_000


class Door(SetupFile):
    """A file whose clock is moved."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        super().__init__(folder, lambda: self.now, random.Random(7).randbytes)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    """Nothing is there yet."""
    return Door(tmp_path / "run")


def refusal(door: Door, code: str) -> str:
    with pytest.raises(RefusedError) as refused:
        door.enter(code)
    return refused.value.code


def test_a_code_is_used_up_once(door: Door) -> None:
    assert not door.is_open()
    code = door.offer()
    assert door.is_open()
    token = door.enter(code)
    assert door.holds(token)
    assert refusal(door, code) == "setup_code_refused"
    assert door.holds(token)


def test_neither_code_nor_session_stands_in_the_file(door: Door, tmp_path: Path) -> None:
    code = door.offer()
    file = tmp_path / "run/setup.json"
    assert code not in file.read_text()
    assert plain_code(code) not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    token = door.enter(code)
    assert token not in file.read_text()
    assert not door.holds(file.read_text())


@pytest.mark.parametrize("text", ["", "x"])
def test_without_a_file_nothing_lets_in(door: Door, text: str) -> None:
    assert refusal(door, text) == "setup_code_refused"
    assert not door.holds(text)
    door.offer()
    assert not door.holds(text)


def test_a_session_is_no_code_and_a_code_no_session(door: Door) -> None:
    code = door.offer()
    assert not door.holds(plain_code(code))
    token = door.enter(code)
    assert refusal(door, token) == "setup_code_refused"


def test_ends(door: Door) -> None:
    code = door.offer()
    door.now += CODE_SECONDS - 1
    assert door.is_open()
    door.now += 1
    assert not door.is_open()
    assert refusal(door, code) == "setup_code_refused"
    token = door.enter(door.offer())
    door.now += SESSION_SECONDS - 1
    assert door.holds(token)
    door.now += 1
    assert not door.holds(token)
    assert not door.is_open()


def test_a_new_code_voids_the_old_one_and_who_is_in(door: Door) -> None:
    old = door.offer()
    token = door.enter(door.offer())
    door.offer()
    assert refusal(door, old) == "setup_code_refused"
    assert not door.holds(token)


def test_closed_for_all_processes(door: Door, tmp_path: Path) -> None:
    other = Door(tmp_path / "run")
    token = other.enter(door.offer())
    assert door.holds(token)
    door.close()
    door.close()
    assert not other.holds(token)
    assert not other.is_open()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"code":1}', b"\xff"])
def test_a_damaged_file_lets_nobody_in(door: Door, tmp_path: Path, data: bytes) -> None:
    code = door.offer()
    (tmp_path / "run/setup.json").write_bytes(data)
    assert refusal(door, code) == "setup_code_refused"
    assert not door.is_open()


def test_what_looks_alike_is_the_same() -> None:
    assert plain_code(" abo1-i8 \t") == "ABOIIB"
    assert plain_code("ab01-18") == "ABOIIB"


def test_only_one_is_alone(door: Door, tmp_path: Path) -> None:
    began = threading.Event()
    order: list[str] = []

    def other() -> None:
        began.set()
        with Door(tmp_path / "run").alone():
            order.append("other")

    with door.alone():
        thread = threading.Thread(target=other)
        thread.start()
        began.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "other"]
