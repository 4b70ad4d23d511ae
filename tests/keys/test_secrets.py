"""The secret keys on disk: which passphrase counts, and what a kill leaves at every write."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chain.errors import Problem, UnavailableError, VerificationError
from chain.hashing import sha256
from chain.signing import keyfile
from chain.signing.keyfile import Cost, is_encrypted, open_key
from chain.signing.note import SignerKey
from invoice_service.keys.secrets import (
    MAX_PASSPHRASE,
    all_encrypted,
    encrypt_keys,
    find_passphrase,
    read_signer,
    write_signer,
)

CHEAP = Cost(log_n=14)
OLD, NEW = b"old passphrase", b"new passphrase"
RANDOM = random.Random(5).randbytes
SIGNERS = {name: SignerKey(f"log.example/{name}", bytes([n]) * 32) for n, name in enumerate("ab")}


@pytest.fixture
def guesses_cheaply(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a guess costs is not what a kill is about, and there are hundreds of them."""
    monkeypatch.setattr(keyfile, "scrypt", lambda passphrase, salt, *_: sha256(passphrase + salt))


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Two plain keys."""
    found = [tmp_path / f"{name}.key" for name in SIGNERS]
    for path, signer in zip(found, SIGNERS.values(), strict=True):
        write_signer(path, signer, None, RANDOM)
    return found


def _code(environ: dict[str, str]) -> str:
    with pytest.raises(Problem) as caught:
        find_passphrase(environ)
    return caught.value.code


def test_the_passphrase_is_in_the_environment_or_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.touch(0o600)
    assert find_passphrase({}) is None
    assert find_passphrase({"FAPIAO_PASSPHRASE": "密码 "}) == "密码 ".encode()
    for content, found in (
        (b"x", b"x"),
        (b" x \n", b" x "),
        (b"x\n\n", b"x\n"),
        (b"\xff", b"\xff"),
    ):
        file.write_bytes(content)
        assert find_passphrase({"FAPIAO_PASSPHRASE_FILE": str(file)}) == found
    assert find_passphrase({"OTHER": "y"}, "OTHER") == b"y"


def test_a_passphrase_that_cannot_be_meant(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    from_file = {"FAPIAO_PASSPHRASE_FILE": str(file)}
    assert _code(from_file) == "passphrase_unreadable"
    file.touch(0o600)
    assert _code(from_file) == "passphrase_empty"
    assert _code({"FAPIAO_PASSPHRASE": ""}) == "passphrase_empty"
    assert _code({"FAPIAO_PASSPHRASE": "x", **from_file}) == "passphrase_twice"
    file.write_bytes(bytes(MAX_PASSPHRASE + 1))
    assert _code(from_file) == "passphrase_too_long"
    file.write_bytes(b"x" * MAX_PASSPHRASE + b"\n")
    assert find_passphrase(from_file) == b"x" * MAX_PASSPHRASE


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o777])
def test_a_passphrase_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(b"x")
    file.chmod(mode)
    assert _code({"FAPIAO_PASSPHRASE_FILE": str(file)}) == "passphrase_exposed"


def test_both_kinds_of_file_are_read(paths: list[Path]) -> None:
    path = paths[0]
    assert read_signer(path, {}) == SIGNERS["a"]
    assert not all_encrypted(paths)
    write_signer(path, SIGNERS["a"], OLD, RANDOM, CHEAP)
    assert not all_encrypted(paths)  # one is not
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_signer(path, {"FAPIAO_PASSPHRASE": OLD.decode()}) == SIGNERS["a"]
    for environ, code in (
        ({}, "passphrase_missing"),
        ({"FAPIAO_PASSPHRASE": "secret guess"}, "passphrase_wrong"),
    ):
        with pytest.raises(Problem) as caught:
            read_signer(path, environ)
        assert caught.value.code == code
        assert "secret guess" not in str(caught.value)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Problem) as caught:
        read_signer(path, {"FAPIAO_PASSPHRASE": OLD.decode()})
    assert caught.value.code == "key_file_damaged"
    path.unlink()
    with pytest.raises(UnavailableError):
        read_signer(path, {})


def test_a_plain_key_needs_no_passphrase_and_ignores_a_bad_one(paths: list[Path]) -> None:
    assert read_signer(paths[0], {"FAPIAO_PASSPHRASE": ""}) == SIGNERS["a"]
    paths[0].write_bytes(b"\xff")
    with pytest.raises(Problem) as caught:
        read_signer(paths[0], {})
    assert caught.value.code == "key_text"


def test_encrypting_changing_and_doing_it_again(paths: list[Path]) -> None:
    assert encrypt_keys(paths, OLD, None, RANDOM, CHEAP) == paths
    assert all_encrypted(paths)
    assert encrypt_keys(paths, OLD, None, RANDOM, CHEAP) == []
    assert encrypt_keys(paths, NEW, OLD, RANDOM, CHEAP) == paths
    assert encrypt_keys(paths, NEW, OLD, RANDOM, CHEAP) == []
    assert _opened(paths) == [NEW, NEW]


@pytest.mark.parametrize("old", [None, b"wrong"])
def test_a_wrong_passphrase_changes_nothing(paths: list[Path], old: bytes | None) -> None:
    encrypt_keys(paths[1:], OLD, None, RANDOM, CHEAP)  # the second only
    before = [path.read_bytes() for path in paths]
    with pytest.raises(Problem) as caught:
        encrypt_keys(paths, NEW, old, RANDOM, CHEAP)
    assert (caught.value.code, str(paths[1]) in caught.value.detail) == ("passphrase_wrong", True)
    assert [path.read_bytes() for path in paths] == before


def test_what_a_killed_writer_left_goes(paths: list[Path]) -> None:
    left = paths[0].with_name(".a.key.xyz.tmp")
    left.write_bytes(paths[0].read_bytes())
    encrypt_keys(paths, OLD, None, RANDOM, CHEAP)
    assert sorted(paths[0].parent.iterdir()) == paths


class Killed(BaseException):
    """As if the process ended here."""


def _kills(patch: pytest.MonkeyPatch, at: int, *, after: bool) -> Iterator[None]:
    """Kill at the write with that number: before it has happened, or after."""
    count = 0

    def killing(real: Any) -> Any:  # noqa: ANN401 # any function of the system
        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            nonlocal count
            count += 1
            if count == at and not after:
                raise Killed
            found = real(*args, **kwargs)
            if count == at:
                raise Killed
            return found

        return call

    for name in ("fsync", "fchmod", "fdopen"):
        patch.setattr(f"chain.durable.os.{name}", killing(getattr(os, name)))
    for name in ("rename", "unlink"):
        patch.setattr(Path, name, killing(getattr(Path, name)))
    yield
    assert count < at  # only when nothing was killed


def _opens(data: bytes, passphrase: bytes, signer: SignerKey) -> bool:
    try:
        return open_key(data, passphrase) == signer
    except VerificationError:
        return False


def _opened(paths: list[Path]) -> list[bytes | None]:
    """Which passphrase opens each key, None for a plain one; fails for any that is lost."""
    found: list[bytes | None] = []
    for path, signer in zip(paths, SIGNERS.values(), strict=True):
        data = path.read_bytes()
        if not is_encrypted(data):
            assert read_signer(path, {}) == signer
            found.append(None)
            continue
        opening = [passphrase for passphrase in (OLD, NEW) if _opens(data, passphrase, signer)]
        assert len(opening) == 1, f"{path} is lost"
        found += opening
    return found


@pytest.mark.usefixtures("guesses_cheaply")
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 12))
def test_killed_at_any_write_every_key_can_be_read_and_it_can_be_done_again(
    paths: list[Path], at: int, after: bool
) -> None:
    encrypt_keys(paths, OLD, None, RANDOM, CHEAP)
    killed = False
    with pytest.MonkeyPatch.context() as patch:
        whole = _kills(patch, at, after=after)
        next(whole)
        try:
            encrypt_keys(paths, NEW, OLD, RANDOM, CHEAP)
            next(whole, None)
        except Killed:
            killed = True
    assert killed == (at <= 10)  # five writes a key
    assert _opened(paths) in ([OLD, OLD], [NEW, OLD], [NEW, NEW])
    encrypt_keys(paths, NEW, OLD, RANDOM, CHEAP)
    assert _opened(paths) == [NEW, NEW]
    assert sorted(paths[0].parent.iterdir()) == paths
