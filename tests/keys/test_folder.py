"""The keys' folder as a process that has been running for long sees it."""

import logging
from pathlib import Path
from threading import Event, Thread

import pytest

from chain.errors import NotFoundError, Problem, RefusedError, UnavailableError
from chain.signing.keyfile import Cost
from chain.signing.keys import LogKey, LogKeys
from chain.signing.note import SignerKey
from chain.signing.receipt import with_receipts
from chain.signing.statement import KeyStatement
from invoice_service.keys.folder import KeyFolder
from invoice_service.keys.secrets import read_signer, write_signer

ORIGIN = "log.example/a"
A, B, C = (SignerKey(ORIGIN, bytes([n]) * 32) for n in range(3))
PROMISE = SignerKey(f"{ORIGIN}/promise", bytes([8]) * 32).verifier
CHEAP = Cost(log_n=14)


def keys(*signing: SignerKey, revoked: tuple[SignerKey, ...] = ()) -> LogKeys:
    """The keys of the log."""
    return LogKeys(
        ORIGIN,
        (
            *(LogKey(one.verifier) for one in signing),
            *(LogKey(one.verifier, revoked=True) for one in revoked),
        ),
        (PROMISE,),
    )


class Folder:
    """A folder of keys, and a reader of it that counts how often a secret is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: list[str] = []
        self.reader = KeyFolder(path, self._read)
        self.secret("log.key", A)
        self.say(1, A)

    def _read(self, path: Path) -> SignerKey:
        self.opened.append(path.name)
        return read_signer(path, {})

    def secret(self, name: str, signer: SignerKey, passphrase: bytes | None = None) -> None:
        """Write a secret key, as another process does."""
        write_signer(self.path / name, signer, passphrase, lambda size: bytes(size), CHEAP)

    def say(self, number: int, *signing: SignerKey, revoked: tuple[SignerKey, ...] = ()) -> None:
        """Add a statement, as another process does."""
        note = KeyStatement(number, keys(*signing, revoked=revoked)).sign(*signing, *revoked)
        KeyFolder(self.path, self._read).add(note)

    def signers(self) -> tuple[SignerKey, ...]:
        """Who signs now."""
        with self.reader.signing() as signing:
            signers = tuple(one for one in signing if isinstance(one, SignerKey))
            assert signing == with_receipts(signers)  # each signs for receipts, too
            return signers


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """One key that signs."""
    return Folder(tmp_path)


def test_a_secret_is_opened_once(folder: Folder) -> None:
    for _ in range(5):
        assert folder.signers() == (A,)
    assert folder.opened == ["log.key"]


def test_what_the_newest_statement_says_is_what_signs(folder: Folder) -> None:
    assert folder.signers() == (A,)
    folder.secret("log.next.key", B)
    assert folder.signers() == (A,)  # nobody has said so yet
    folder.say(2, A, B)
    assert folder.signers() == (A, B)
    assert folder.reader.keys() == keys(A, B)
    folder.say(3, B, revoked=(A,))
    assert folder.signers() == (B,)
    folder.secret("log.key", B)
    (folder.path / "log.next.key").unlink()
    opened = len(folder.opened)
    assert folder.signers() == (B,)
    assert len(folder.opened) == opened


def test_a_secret_that_signs_no_more_is_forgotten(folder: Folder) -> None:
    folder.secret("log.next.key", B)
    folder.say(2, A, B)
    folder.signers()
    folder.say(3, B, revoked=(A,))
    folder.signers()
    (folder.path / "log.key").unlink()
    folder.say(4, A, B)
    assert folder.signers() == (B,)


def test_the_files_may_be_encrypted_under_a_process_that_runs(folder: Folder) -> None:
    assert folder.signers() == (A,)
    folder.secret("log.key", A, b"passphrase")
    folder.say(2, A)
    assert folder.signers() == (A,)
    with pytest.raises(RefusedError) as caught:
        KeyFolder(folder.path, folder._read).signers()
    assert caught.value.code == "passphrase_missing"


def test_one_that_cannot_be_read_does_not_stop_the_other(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.secret("log.next.key", B, b"passphrase")
    folder.say(2, A, B)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert folder.signers() == (A,)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "passphrase_missing" in caplog.text
    assert folder.opened.count("log.next.key") == 1  # opening it takes a while, and fails again
    assert folder.opened.count("log.key") == 1
    folder.secret("log.next.key", B)
    assert folder.signers() == (A, B)
    (folder.path / "log.key").unlink()
    (folder.path / "log.next.key").unlink()
    assert folder.signers() == (A, B)  # as long as it runs
    with pytest.raises(UnavailableError):
        folder.reader.check()


def test_what_serves_looks_at_every_secret_first(folder: Folder) -> None:
    folder.reader.check()
    folder.secret("log.next.key", B, b"passphrase")
    with pytest.raises(RefusedError):
        folder.reader.check()


def test_no_key_of_now_is_no_key(folder: Folder) -> None:
    folder.say(2, B, revoked=(A,))
    for _ in range(2):
        with pytest.raises(UnavailableError) as caught:
            folder.signers()
        assert caught.value.code == "log_key_missing"
    folder.secret("log.next.key", B)
    assert folder.signers() == (B,)


def test_an_unreadable_key_is_tried_again_while_there_is_no_other(folder: Folder) -> None:
    folder.secret("log.key", A, b"passphrase")
    for _ in range(3):
        with pytest.raises(RefusedError):
            folder.signers()
    assert len(folder.opened) == 3


def test_keys_do_not_change_while_somebody_signs(folder: Folder) -> None:
    """Rotation waits for the one that signs, and the next one that signs for it."""
    asked, changed = Event(), Event()

    def change() -> None:
        asked.set()
        with KeyFolder(folder.path, folder._read).changing():
            folder.say(2, B, revoked=(A,))
            changed.set()

    thread = Thread(target=change)
    with folder.reader.signing() as signers:
        thread.start()
        asked.wait()
        assert signers == with_receipts([A])
        assert folder.reader.numbers() == [1]
        assert not changed.wait(0.2)  # as long as somebody signs, it cannot be
        assert folder.reader.numbers() == [1]
    thread.join()
    assert folder.reader.numbers() == [1, 2]
    folder.secret("log.key", B)
    with folder.reader.signing() as one, KeyFolder(folder.path, folder._read).signing() as two:
        assert one == two == with_receipts([B])  # any number may sign at once


def test_only_their_owner_changes_keys(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, what is written could not be read by the worker, and publishing would stop."""
    monkeypatch.setattr("os.geteuid", lambda: folder.path.stat().st_uid + 1)
    with pytest.raises(RefusedError) as caught, folder.reader.changing():
        pass
    assert caught.value.code == "keys_of_another"
    assert folder.signers() == (A,)


def test_statements_are_found_by_their_number(folder: Folder) -> None:
    for number in (2, 10, 9):
        folder.say(number, A)
    for name in ("11.note.tmp", ".12.note.x.tmp", "013.note", "0.note", "x"):
        (folder.path / "statements" / name).write_bytes(b"")
    assert folder.reader.numbers() == [1, 2, 9, 10]
    assert folder.reader.newest().number == 10
    assert [KeyStatement.parse(note).number for note in folder.reader.notes()] == [1, 2, 9, 10]
    with pytest.raises(NotFoundError) as caught:
        folder.reader.note(3)
    assert caught.value.code == "no_statement"


def test_an_empty_folder_is_no_instance(tmp_path: Path) -> None:
    empty = KeyFolder(tmp_path, lambda _: A)
    assert empty.numbers() == []
    with pytest.raises(Problem) as caught:
        empty.newest()
    assert caught.value.code == "not_initialised"
