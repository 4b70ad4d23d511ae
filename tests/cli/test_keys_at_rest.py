"""Secret keys encrypted at rest, as their operator does it."""

import json
from pathlib import Path

import pytest

from invoice_service.commands.session import Session
from invoice_service.processes.supervise import supervisor_settings
from tests.cli.town import Town

FIRST, SECOND = "first passphrase 一", "second passphrase 二"


def _secrets(town: Town) -> dict[str, bytes]:
    """Those that sign; web processes must open the one of people, and get no passphrase."""
    folder = town.folder / "var" / "main" / "keys"
    found = {path.name: path.read_bytes() for path in sorted(folder.glob("*.key"))}
    assert found.pop("people.key")
    return found


def _holding(folder: Path, *texts: str) -> list[Path]:
    """Files below that hold one of the texts."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(text.encode() in path.read_bytes() for text in texts)]


def test_init_encrypts_with_a_passphrase(empty: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAPIAO_PASSPHRASE", FIRST)
    said = empty.run("init")
    assert "NOT ENCRYPTED" not in said
    assert "Both are encrypted" in said
    secrets = _secrets(empty)
    assert list(secrets) == ["log.key", "promise.key"]
    assert all(data.startswith(b"encrypted-key/v1\n") for data in secrets.values())
    empty.admit()
    [invoice] = empty.sell(1)
    empty.run("anchor")
    assert empty.asked("verify", invoice["hash"])["verdict"] == "authentic"
    assert _holding(empty.folder, FIRST, "PRIVATE+KEY") == []
    monkeypatch.delenv("FAPIAO_PASSPHRASE")
    assert "passphrase_missing" in empty.refusal("anchor")
    assert "passphrase_missing" in empty.refusal("serve")  # before anything has started
    monkeypatch.setenv("FAPIAO_PASSPHRASE", SECOND)
    refusal = empty.refusal("anchor")
    assert "passphrase_wrong" in refusal
    assert SECOND not in refusal


def test_init_warns_without_one_and_keys_are_encrypted_later(
    empty: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "NOT ENCRYPTED" in empty.run("init")
    assert all(data.startswith(b"PRIVATE+KEY") for data in _secrets(empty).values())
    public = empty.run("keys", "log")
    assert "set FAPIAO_PASSPHRASE" in empty.refusal("keys", "encrypt", status=2)
    file = Path("passphrase")
    file.touch(0o644)
    file.write_text(f"{FIRST}\n")
    monkeypatch.setenv("FAPIAO_PASSPHRASE_FILE", "passphrase")
    assert "passphrase_exposed" in empty.refusal("keys", "encrypt")
    file.chmod(0o600)
    assert empty.run("keys", "encrypt").count("encrypted ") == 2
    assert "already" in empty.run("keys", "encrypt")
    assert _holding(empty.folder, "PRIVATE+KEY") == []
    assert empty.run("keys", "log") == public
    empty.run("anchor")


def test_the_passphrase_is_changed_in_place(empty: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAPIAO_PASSPHRASE", FIRST)
    assert json.loads(empty.run("init", "--json"))["keys_encrypted"] is True
    before = _secrets(empty)
    assert "FAPIAO_NEW_PASSPHRASE" in empty.refusal("keys", "passphrase", status=2)
    monkeypatch.setenv("FAPIAO_NEW_PASSPHRASE", SECOND)
    assert empty.run("keys", "passphrase").count("encrypted ") == 2
    assert all(before[name] != data for name, data in _secrets(empty).items())
    assert "passphrase_wrong" in empty.refusal("anchor")
    monkeypatch.setenv("FAPIAO_PASSPHRASE", SECOND)
    empty.run("anchor")
    assert _holding(empty.folder, FIRST, SECOND) == []


def test_processes_find_the_passphrase_and_the_supervisors_file_has_it_not(
    empty: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative file counts from here; supervisord and its programs run in another folder."""
    monkeypatch.setenv("FAPIAO_PASSPHRASE", FIRST)
    monkeypatch.setenv("FAPIAO_PASSPHRASE_FILE", "passphrase")
    session = Session()
    assert session.environ()["FAPIAO_PASSPHRASE"] == FIRST
    assert session.environ()["FAPIAO_PASSPHRASE_FILE"] == str(empty.folder / "passphrase")
    settings = supervisor_settings()
    assert FIRST not in settings
    assert str(empty.folder / "passphrase") not in settings
