"""A web process's line to the issuing process, for its event loop: nobody waits in a thread.

Requests that come while a message is under way go together in the next one, so the busier a
process is, the more of them share a message, a transaction, a sync and a signature.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from chain.errors import Problem
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.front.rounds import Rounds
from invoice_service.processes.issuer import (
    ARRAY_HEADER,
    MAX_MESSAGE,
    MAX_REPLY,
    PATIENCE,
    UNREADABLE,
    read_replies,
    short_name,
)
from invoice_service.processes.turns import FEW
from invoice_service.services.issuing.issue import Done

log = logging.getLogger(__name__)
_encode: Final = msgspec.msgpack.Encoder().encode


class IssuingLine:
    """One connection with one message under way. All of it is called in the loop's thread."""

    def __init__(
        self,
        path: Path,
        loop: asyncio.AbstractEventLoop,
        *,
        patience: float = PATIENCE,
        silent: Callable[[], object] = lambda: None,
    ) -> None:
        """``silent`` is called when the process has not answered for ``patience`` seconds."""
        self._path = path
        self._loop = loop
        self._patience = patience
        self._waiting: Rounds[tuple[bytes, Done]] = Rounds()
        self._under_way: Sequence[Done] = ()
        self._socket: socket.socket | None = None
        self._late: asyncio.TimerHandle | None = None
        self._silent = silent
        self._avoid_until = 0.0

    def ask(self, prepared: Prepared, done: Done, whose: str = "") -> None:
        """Have it issued, with all that is asked before the loop looks at its sockets again.

        Where more wait than go in one message, their callers take turns; ``whose`` says which one.
        """
        if not self._waiting and not self._under_way:
            self._loop.call_soon(self._send)
        self._waiting.add(whose, (_encode(prepared), done))

    def close(self) -> None:
        """Answer all who wait with None."""
        self._lose()

    def _send(self) -> None:
        if self._under_way or not self._waiting:
            return
        if self._loop.time() < self._avoid_until:
            self._lose()
            return
        records, asking = self._next()
        self._under_way = asking
        try:
            self._connected().send(_encode(records))
        except OSError:
            self._lose()
            return
        self._late = self._loop.call_later(self._patience, self._give_up)

    def _next(self) -> tuple[list[msgspec.Raw], list[Done]]:
        """Those whose turn it is; no more than are few."""
        records: list[msgspec.Raw] = []
        asking: list[Done] = []
        size = ARRAY_HEADER
        while self._waiting and len(records) < FEW:
            size += len(self._waiting.first()[0])
            if records and size > MAX_MESSAGE:
                break
            raw, done = self._waiting.next()
            records.append(msgspec.Raw(raw))
            asking.append(done)
        return records, asking

    def _connected(self) -> socket.socket:
        if self._socket is None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            connection.setblocking(False)  # noqa: FBT003 # the function takes no keyword
            try:
                with short_name(self._path) as name:
                    connection.connect(name)
            except OSError:
                connection.close()
                raise
            self._socket = connection
            self._loop.add_reader(connection.fileno(), self._hear, connection)
        return self._socket

    def _hear(self, connection: socket.socket) -> None:
        """The answer to what is under way, or the end."""
        asking = self._under_way
        try:
            answers = read_replies(connection.recv(MAX_REPLY), len(asking))
        except BlockingIOError:
            return
        except UNREADABLE:
            self._lose()
            return
        self._under_way = ()
        self._in_time()
        for done, answer in zip(asking, answers, strict=True):
            _tell(done, answer)
        self._send()

    def _give_up(self) -> None:
        """It hangs: the next ones do not wait for it, either, for a while."""
        self._avoid_until = self._loop.time() + self._patience
        self._silent()
        self._lose()

    def _lose(self) -> None:
        """Nobody knows what became of what is under way, and the rest had better not wait."""
        self._in_time()
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
        lost = [*self._under_way]
        self._under_way = ()
        while self._waiting:
            lost.append(self._waiting.next()[1])
        for done in lost:
            _tell(done, None)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def _tell(done: Done, answer: Issued | Problem | None) -> None:
    """Tell one of them; whatever becomes of that, the others hear theirs."""
    try:
        done(answer)
    except Exception:
        log.exception("an answer of the issuing process was not handed on")
