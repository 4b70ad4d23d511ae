"""The key that seals what the second factor needs: ``keys/people.key``.

Web processes open it, which are given no passphrase, so it is never encrypted itself; it is worth
something only beside ``invoices.db``, and opens no password. Its file has a key a line, the newest
first: what is sealed now is sealed with that, and while keys change what was sealed before is
opened with the one below.
"""

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from Crypto.Cipher import AES

from chain.durable import fsync_dir, write_file
from chain.errors import MalformedError, UnavailableError
from chain.hashing import sha256
from invoice_service.services.links import marked_again

PEOPLE_KEY: Final = "people.key"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
ID_BYTES: Final = 4
SECRET: Final = 0o600

_PREFIX: Final = "fapiao/people@v1 "
_MARKED: Final = b"fapiao/v1/people-mark\n"
_LINE = re.compile(rf"{_PREFIX}([A-Za-z0-9+/]{{43}}=)")


class PeopleKey:
    """The keys in that file, read again when it has changed. Safe for threads."""

    def __init__(self, path: Path, randbytes: Callable[[int], bytes]) -> None:
        self.path = path
        self._randbytes = randbytes
        self._known: tuple[tuple[int, int], tuple[bytes, ...]] | None = None

    def make(self) -> None:
        """Make the file where there is none; of two who do, the first."""
        aside = self.path.with_name(f".{self.path.name}.{self._randbytes(8).hex()}.tmp")
        write_file(aside, _lines([self._randbytes(KEY_BYTES)]), mode=SECRET)
        try:
            # A crash here: no key, or the whole of one. Nothing is sealed before it is there.
            with suppress(FileExistsError):
                os.link(aside, self.path)
            fsync_dir(self.path.parent)
        finally:
            aside.unlink()

    def begin_rotation(self) -> None:
        """Put a new key above the one that is there; with two already, nothing changes."""
        keys = self._keys()
        if len(keys) == 1:
            # A crash here: the old key alone, or both; the new one seals from now on.
            write_file(self.path, _lines([self._randbytes(KEY_BYTES), *keys]), mode=SECRET)

    def end_rotation(self) -> None:
        """Leave the newest key alone, once nothing is sealed with another."""
        write_file(self.path, _lines(self._keys()[:1]), mode=SECRET)

    def seal(self, what: bytes, of: str) -> bytes:
        """``what``, for this purpose and person only; UnavailableError ``key_unreadable``."""
        key, nonce = self._keys()[0], self._randbytes(NONCE_BYTES)
        cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=TAG_BYTES)
        cipher.update(of.encode())
        sealed, tag = cipher.encrypt_and_digest(what)
        return _id(key) + nonce + sealed + tag

    def open(self, sealed: bytes, of: str) -> bytes:
        """What was sealed; MalformedError ``seal_invalid``, UnavailableError ``key_unreadable``."""
        key = next((key for key in self._keys() if _id(key) == sealed[:ID_BYTES]), None)
        if key is None or len(sealed) < ID_BYTES + NONCE_BYTES + TAG_BYTES:
            raise _invalid()
        nonce, rest = sealed[ID_BYTES : ID_BYTES + NONCE_BYTES], sealed[ID_BYTES + NONCE_BYTES :]
        cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=TAG_BYTES)
        cipher.update(of.encode())
        try:
            return bytes(cipher.decrypt_and_verify(rest[:-TAG_BYTES], rest[-TAG_BYTES:]))
        except ValueError:
            raise _invalid() from None

    def marks(self, what: bytes, of: str) -> tuple[bytes, ...]:
        """Keyed digests for this purpose only, the newest key's first: what is looked up by them
        tells whoever has the database alone nothing. UnavailableError ``key_unreadable``.
        """
        return tuple(
            bytes(sha256(_MARKED + key + of.encode() + b"\n" + what)) for key in self._keys()
        )

    def newest_id(self) -> bytes:
        """What stands before all that is sealed with the key that seals now."""
        return _id(self._keys()[0])

    def is_newest(self, sealed: bytes) -> bool:
        """Whether it was sealed with the key that seals now."""
        return sealed[:ID_BYTES] == _id(self._keys()[0])

    def check(self) -> None:
        """Read the file; UnavailableError ``key_unreadable``."""
        self._keys()

    def _keys(self) -> tuple[bytes, ...]:
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if self._known is None or self._known[0] != stamp:
                self._known = stamp, _read(self.path.read_text(encoding="ascii"))
        except FileNotFoundError:
            raise UnavailableError(
                "key_unreadable",
                f"the key {self.path} is missing: put it back from the backup of keys/; without it"
                " people with one-time codes need a new invitation",
            ) from None
        except (OSError, UnicodeDecodeError, MalformedError) as error:
            raise UnavailableError(
                "key_unreadable", f"cannot read the key {self.path}: {error}"
            ) from error
        return self._known[1]


class SealedStore(Protocol):
    """Where sealed secrets are kept."""

    def sealed_totps(self) -> list[tuple[int, bytes]]:
        """All of one-time codes, with whose they are."""
        ...

    def seal_again(self, sealed: list[tuple[int, bytes, bytes]]) -> None:
        """Replace them (whose, the old one, the new one) where they are still the old."""
        ...

    def sealed_links(self, newest: bytes) -> list[tuple[str, int, bytes]]:
        """(of what, which, sealed): those that do not begin with ``newest``."""
        ...

    def seal_links_again(self, links: Sequence[tuple[str, int, bytes, bytes]]) -> None:
        """Replace them (of what, which, sealed, mark)."""
        ...


def have_people_key(key: PeopleKey, store: SealedStore) -> None:
    """Make it in an instance that never had one; one that was lost is not made anew."""
    with suppress(UnavailableError):  # said by whoever needs the key, or the database
        if not (key.path.exists() or store.sealed_totps() or store.sealed_links(bytes(4))):
            key.make()


def rotate(key: PeopleKey, store: SealedStore) -> int:
    """Seal everything with a new key and drop the old one; how many secrets there were.

    Killed anywhere, both keys are there, and the same call finishes.
    """
    key.begin_rotation()
    done = 0
    # Again until none is left: a process may have sealed one with the old key meanwhile.
    while old := [one for one in store.sealed_totps() if not key.is_newest(one[1])]:
        names = [(person, f"totp:{person}", sealed) for person, sealed in old]
        again = [(who, was, key.seal(key.open(was, name), name)) for who, name, was in names]
        store.seal_again(again)
        done += len(again)
    while links := store.sealed_links(key.newest_id()):
        found = [(of, seq, marked_again(key, sealed, of)) for of, seq, sealed in links]
        store.seal_links_again([(of, seq, link.sealed, link.mark) for of, seq, link in found])
        done += len(found)
    key.end_rotation()
    return done


def _read(text: str) -> tuple[bytes, ...]:
    found = [_LINE.fullmatch(line) for line in text.removesuffix("\n").split("\n")]
    keys = tuple(b64decode(line[1]) for line in found if line)
    if len(keys) != len(found) or not 1 <= len(keys) <= 2:
        raise MalformedError("people_key", "a line for each of one or two keys")
    return keys


def _lines(keys: Sequence[bytes]) -> bytes:
    return "".join(f"{_PREFIX}{b64encode(key).decode()}\n" for key in keys).encode()


def _id(key: bytes) -> bytes:
    return sha256(b"fapiao/v1/people-key\n" + key)[:ID_BYTES]


def _invalid() -> MalformedError:
    return MalformedError("seal_invalid", "this was not sealed here, or not for this")
