"""Reading a log from outside: over HTTP, or from a folder that a web server could serve.

What comes back is bytes of a stranger: nothing here believes them, but nothing here takes more
of them, or waits longer for them, than a log can need.
"""

import http.client
import ssl
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from chain.deadline import Deadline
from chain.errors import MalformedError, NotFoundError, UnavailableError
from chain.exchange import Address, Connection, Question, Reply, exchange
from chain.hashing import DIGEST_SIZE
from chain.signing.note import MAX_NOTE_SIZE
from chain.tree.tiles import MAX_ENTRY, TileId

CHECKPOINT: Final = "checkpoint"
TIMEOUT: Final = 30.0
"""Seconds for one file, from asking to its last byte."""


class LogSource(Protocol):
    """Where a log can be read."""

    def checkpoint(self) -> bytes:
        """The newest checkpoint's note; errors as ``tile``."""
        ...

    def tile(self, tile: TileId) -> bytes:
        """A tile's or an entry bundle's bytes, exactly of that width.

        Raises NotFoundError ``file_missing``, MalformedError ``file_too_long``,
        UnavailableError.
        """
        ...


class FolderSource:
    """A log in a folder: a mirror's, or the published one itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def checkpoint(self) -> bytes:
        """Read the file ``checkpoint``."""
        return self._read(CHECKPOINT, MAX_NOTE_SIZE)

    def tile(self, tile: TileId) -> bytes:
        """Read a tile's file."""
        return self._read(tile.path(), _longest(tile))

    def _read(self, path: str, limit: int) -> bytes:
        try:
            with (self._folder / path).open("rb") as file:
                data = file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError):
            raise _missing(path) from None
        except OSError as error:
            detail = f"cannot read {path}: {error.strerror}"
            raise UnavailableError("read_failed", detail) from error
        return _cut(path, data, limit)


class HttpSource:
    """A log behind an address, over one kept connection. Not for several threads."""

    def __init__(
        self, url: str, *, timeout: float = TIMEOUT, tls: ssl.SSLContext | None = None
    ) -> None:
        """Trust the machine's certificate authorities, or ``tls``; MalformedError ``log_url``."""
        self._address = Address.parse(url, "", "log_url")
        self._timeout = timeout
        self._tls = (tls or ssl.create_default_context()) if self._address.tls else None
        self._kept: Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def checkpoint(self) -> bytes:
        """Get the checkpoint, past any cache."""
        return self._get(CHECKPOINT, MAX_NOTE_SIZE)

    def tile(self, tile: TileId) -> bytes:
        """Get a tile."""
        return self._get(tile.path(), _longest(tile))

    def _get(self, path: str, limit: int) -> bytes:
        deadline = Deadline(self._timeout)
        headers = {"Accept-Encoding": "identity"}
        if path == CHECKPOINT:  # the others never change
            headers["Cache-Control"] = "no-cache"
        question = Question("GET", self._address.path + path, headers)
        kept, self._kept = self._kept, None
        try:
            fresh = partial(Connection, self._address, self._tls, deadline)
            reply, self._kept = exchange(kept, fresh, question, deadline, limit)
        except TimeoutError:
            detail = f"{path} did not come within {self._timeout:g} seconds"
            raise UnavailableError("log_slow", detail) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise UnavailableError("log_unreachable", f"{path}: {reason}") from error
        return _answer(path, reply, limit)


def _answer(path: str, reply: Reply, limit: int) -> bytes:
    status = reply.status
    if status in (404, 410):
        raise _missing(path)
    if status != 200:  # redirections too: the address is whose log this is
        raise UnavailableError("log_status", f"{path}: the server answers {status}", status=status)
    if reply.coding not in ("", "identity"):
        raise MalformedError("log_coding", f"{path} came in a coding that was not asked for")
    return _cut(path, reply.body, limit)


def _longest(tile: TileId) -> int:
    return tile.width * (2 + MAX_ENTRY if tile.level is None else DIGEST_SIZE)


def _cut(path: str, data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise MalformedError("file_too_long", f"{path} has more than {limit} bytes", path=path)
    return data


def _missing(path: str) -> NotFoundError:
    return NotFoundError("file_missing", f"there is no {path}", path=path)
