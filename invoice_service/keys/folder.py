"""The log's keys in the instance's folder: its statements, and the secrets of those that sign.

Whoever asks gets what the newest statement says, at any time, in a process however old. Statements
are only added, so the newest number says whether anything is new; a secret that was read is kept
in memory for as long as its key signs, so files are opened when a key comes, not at every tick.
"""

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chain.durable import write_file
from chain.errors import NotFoundError, Problem, RefusedError, UnavailableError
from chain.hashing import sha256
from chain.log.turns import turn
from chain.signing.keys import LogKeys
from chain.signing.note import NoteSigner, SignerKey, VerifierKey
from chain.signing.receipt import with_receipts
from chain.signing.statement import KeyStatement

LOG_KEY: Final = "log.key"
LOG_VKEY: Final = "log.vkey"
NEXT_KEY: Final = "log.next.key"
NEXT_VKEY: Final = "log.next.vkey"
PROMISE_KEY: Final = "promise.key"
PROMISE_VKEY: Final = "promise.vkey"
STATEMENTS: Final = "statements"

_NOTE: Final = re.compile(r"([1-9][0-9]{0,8})\.note")

logger = logging.getLogger(__name__)

ReadSigner = Callable[[Path], SignerKey]


class KeyFolder:
    """``keys/`` of an instance; ``read`` opens a secret key, which may take a fraction of a second.

    Safe for threads: what it remembers is replaced as a whole.
    """

    def __init__(self, folder: Path, read: ReadSigner) -> None:
        self.folder: Final = folder
        self._read = read
        # With the path of the statement that would be the next one.
        self._newest: tuple[KeyStatement, Path] | None = None
        self._signers: dict[VerifierKey, SignerKey] = {}
        # What a file held when it was looked at last; None where it could not be read.
        self._seen: dict[Path, tuple[tuple[int, int], SignerKey | None]] = {}

    def numbers(self) -> list[int]:
        """The numbers of all statements, in order; none before ``fapiao init``."""
        try:
            names = [path.name for path in (self.folder / STATEMENTS).iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unreadable(error) from error
        return sorted(int(found[1]) for found in map(_NOTE.fullmatch, names) if found)

    def mark(self) -> str:
        """What tells this instance from every other: the digest of its first statement, in hex.

        It never changes, and no other instance has the keys that it names. NotFoundError.
        """
        return self.digest(1)

    def digest(self, number: int) -> str:
        """The digest of a statement's bytes, in hex; NotFoundError ``no_statement``."""
        return sha256(self.note(number)).hex()

    def note(self, number: int) -> bytes:
        """A statement's bytes; NotFoundError ``no_statement``."""
        try:
            return self.statement_path(number).read_bytes()
        except FileNotFoundError:
            raise NotFoundError("no_statement", f"there is no statement {number}") from None
        except OSError as error:
            raise _unreadable(error) from error

    def notes(self) -> list[bytes]:
        """All statements, in order."""
        return [self.note(number) for number in self.numbers()]

    def newest(self) -> KeyStatement:
        """The newest statement; UnavailableError ``not_initialised`` where there is none."""
        known = self._newest
        # They are numbered one after the other: without the next one, this is the newest.
        if known is not None and not known[1].exists():
            return known[0]
        number = max(self.numbers(), default=0)
        if not number:
            raise UnavailableError("not_initialised", f"{self.folder} holds no key statement")
        newest = KeyStatement.parse(self.note(number))
        self._newest = newest, self.statement_path(number + 1)
        return newest

    def keys(self) -> LogKeys:
        """What the newest statement says of the log's keys."""
        return self.newest().keys

    def add(self, note: bytes) -> None:
        """Add the next statement, durably."""
        write_file(self.statement_path(KeyStatement.parse(note).number), note)

    def statement_path(self, number: int) -> Path:
        """Where that statement is, or will be."""
        return self.folder / STATEMENTS / f"{number}.note"

    def secret_paths(self) -> list[Path]:
        """The files with secret keys of the log that are there: one, or two in an overlap."""
        paths = (self.folder / name for name in (LOG_KEY, NEXT_KEY))
        return [path for path in paths if path.exists()]

    @contextmanager
    def signing(self) -> Iterator[tuple[NoteSigner, ...]]:
        """What signs now, for receipts too, and stays so until the block ends: rotation waits.

        A key whose secret cannot be read is left out and logged, while there is another one.
        UnavailableError ``turn_busy`` while keys are being changed for too long.
        """
        with turn(self.folder, shared=True):
            yield with_receipts(self.signers())

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Nobody signs and nobody else changes keys until the block ends.

        RefusedError ``keys_of_another`` for another user than theirs: the worker could not read
        what this one writes.
        """
        if self.folder.stat().st_uid != os.geteuid():
            raise RefusedError(
                "keys_of_another", f"do this as the user to whom {self.folder} belongs"
            )
        with turn(self.folder):
            yield

    def signers(self) -> tuple[SignerKey, ...]:
        """The keys of the log that sign now, the oldest first; errors as ``keyring.read_signer``.

        UnavailableError ``log_key_missing`` when no secret key here is one of them.
        """
        wanted = self.keys().signing
        known = {key: found for key, found in self._signers.items() if key in wanted}
        if len(known) < len(wanted):
            known |= self._look(wanted, needed=not known)
        if len(known) == len(wanted):
            self._seen = {}  # what is no key of now is forgotten
        self._signers = known
        if not known:
            raise UnavailableError("log_key_missing", f"{self.folder} holds no key that signs now")
        return tuple(known[key] for key in wanted if key in known)

    def check(self) -> None:
        """Read every secret key of the log; errors as ``keyring.read_signer``."""
        for path in self.secret_paths() or [self.folder / LOG_KEY]:
            self._read(path)
        self.signers()

    def _look(
        self, wanted: tuple[VerifierKey, ...], *, needed: bool
    ) -> dict[VerifierKey, SignerKey]:
        """Those of ``wanted`` that the files hold; where one is ``needed``, its error is raised."""
        found: dict[VerifierKey, SignerKey] = {}
        problem: Problem | None = None
        for path in self.secret_paths():
            stamp, seen = _stamp(path), self._seen.get(path)
            if seen is None or seen[0] != stamp or (needed and seen[1] is None):
                try:
                    seen = stamp, self._read(path)
                except Problem as raised:
                    problem, seen = raised, (stamp, None)
                    logger.warning("a key of the log cannot be read: %s", raised)
                self._seen = {**self._seen, path: seen}
            if seen[1] is not None and seen[1].verifier in wanted:
                found[seen[1].verifier] = seen[1]
        if needed and not found and problem is not None:
            raise problem
        return found


def _stamp(path: Path) -> tuple[int, int]:
    """What is another one when the file was replaced."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)


def _unreadable(error: OSError) -> UnavailableError:
    return UnavailableError("log_unreadable", f"the log's keys cannot be read: {error.strerror}")
