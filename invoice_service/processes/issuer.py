"""The issuing process: takes every waiting request, commits them together, answers them all.

One sync to disk costs more than the rest of an issue, so requests that wait at the same time
share one (ADR 0003). The process is an accelerator, not an authority: all rules are in the
store's transaction, and a client that finds no process, or loses it half-way, makes the same
call on the store itself. That is safe because the same ``Prepared`` again is answered with the
invoice that it became.

One message of a local SOCK_SEQPACKET socket is one batch: msgpack, an array of ``Prepared``
there, an array of ``_Answer`` back. A connection has one request under way at a time. What is
larger than a message (one long invoice) comes in pieces.
"""

import errno
import fcntl
import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    Problem,
    RefusedError,
    UnavailableError,
    VerificationError,
)
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.processes.pieces import MAX_WHOLE, Pieces, cut
from invoice_service.processes.turns import Turn, Turns
from invoice_service.services.issuing.issue import Issuer
from invoice_service.services.issuing.promise import Promiser

SOCKET = "issuer.sock"
"""Its name in the folder of what runs."""

MAX_MESSAGE = 96 * 1024
"""Bytes of one request: under half of what Linux lets a local socket hold by default."""

MAX_REPLY = 192 * 1024
MAX_TOGETHER = 500
"""Records in one transaction, so that a large batch never holds the lock for long."""

PATIENCE = 5.0
"""Seconds that a client waits for an answer, and then leaves a silent process alone."""

_BACKLOG = 128
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_DOOR_CLOSED = 0.2
"""Seconds for which nobody new is let in after files or memory have run out."""

_LONGEST_ADDRESS = 107  # bytes of a local socket's path
_FAULTS: dict[str, type[Problem]] = {
    fault.__name__: fault
    for fault in (
        MalformedError,
        VerificationError,
        ConflictError,
        RefusedError,
        NotFoundError,
        UnavailableError,
    )
}


def faults(name: str) -> type[Problem]:
    """The fault of that name, as it came from another process."""
    return _FAULTS.get(name, UnavailableError)


UNREADABLE = (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading from the other side may end in."""

_log = structlog.get_logger()


class _Refusal(msgspec.Struct, frozen=True, array_like=True):
    """A Problem on its way between processes."""

    fault: str
    code: str
    detail: str
    pointer: str
    extra: dict[str, int | str]


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    """What became of one record: one of the two."""

    issued: Issued | None
    refusal: _Refusal | None


class IssuingStore(Protocol):
    """What issuing needs of a store."""

    def issue(self, batch: Sequence[Prepared], clock: Callable[[], int]) -> list[Issued | Problem]:
        """Issue in one durable transaction; UnavailableError when nothing was stored."""
        ...


class DirectIssuer:
    """Issues on the store itself, ``MAX_TOGETHER`` records a transaction; promises them if told."""

    def __init__(
        self, store: IssuingStore, clock: Callable[[], int], promiser: Promiser | None = None
    ) -> None:
        """``clock`` gives unix seconds."""
        self._store = store
        self._clock = clock
        self._promiser = promiser

    def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        """Answer each record; one that could not be stored is answered with UnavailableError."""
        answers: list[Issued | Problem] = []
        for start in range(0, len(batch), MAX_TOGETHER):
            answers += self._together(batch[start : start + MAX_TOGETHER])
        return answers

    def _together(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        failed: Problem
        try:
            answers = self._store.issue(batch, self._clock)
        except UnavailableError as problem:
            failed = problem
        except Exception as error:  # noqa: BLE001 # whoever serves many must not end for one
            _log.exception("issuing.batch_failed")
            failed = UnavailableError("internal_error", f"nothing could be stored: {error!r}")
        else:
            # A crash here: all is on disk, and who asks again is answered with it and a promise.
            return answers if self._promiser is None else self._promiser.promise(batch, answers)
        return [failed] * len(batch)


class IssuerClient:
    """Asks the issuing process at ``path``; does the work through ``direct`` when it cannot."""

    def __init__(self, path: Path, direct: Issuer, *, patience: float = PATIENCE) -> None:
        self._path = path
        self._direct = direct
        self._patience = patience
        self._mine = threading.local()
        self._avoid_until = 0.0

    def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        """Answer each record in order, whoever stored it."""
        answers: list[Issued | Problem] = []
        for records, message in _messages(batch):
            replies = self._ask(message, len(records))
            # Lost half-way means not known, and asking the store again is safe.
            answers += self._direct.issue(records) if replies is None else replies
        return answers

    def alive(self) -> bool:
        """Whether the process answers."""
        return self._ask(_encoder.encode([]), 0) == []

    def leave_alone(self) -> None:
        """It is silent: for as long as one waits for it, nobody asks it."""
        self._avoid_until = time.monotonic() + self._patience

    def close(self) -> None:
        """Close this thread's connection."""
        connection: socket.socket | None = getattr(self._mine, "connection", None)
        if connection is not None:
            connection.close()
        self._mine.connection = None

    def _ask(self, message: bytes, count: int) -> list[Issued | Problem] | None:
        """The process's answers, or None when it has none to give."""
        if len(message) > MAX_WHOLE or time.monotonic() < self._avoid_until:
            return None
        for _ in range(2):  # a kept connection may belong to a process that has ended since
            try:
                return self._ask_once(message, count)
            except TimeoutError:
                self.leave_alone()
                self.close()
                return None
            except UNREADABLE:
                self.close()
        return None

    def _ask_once(self, message: bytes, count: int) -> list[Issued | Problem]:
        connection = self._connection()
        for piece in cut(message, MAX_MESSAGE):
            connection.send(piece)
        return read_replies(connection.recv(MAX_REPLY), count)

    def _connection(self) -> socket.socket:
        """This thread's connection; a forked process makes its own."""
        connection: socket.socket | None = getattr(self._mine, "connection", None)
        if connection is None or self._mine.pid != os.getpid():
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            connection.settimeout(self._patience)
            with short_name(self._path) as address:
                connection.connect(address)
            self._mine.connection = connection
            self._mine.pid = os.getpid()
        return connection


class IssuingProcess:
    """The process itself: single-threaded, sleeps until somebody asks."""

    def __init__(self, path: Path, issuer: Issuer) -> None:
        """Listen at ``path``; ConflictError ``issuer_running`` when another process does."""
        self._path = path
        self._issuer = issuer
        self._lock = _lock(path.with_suffix(".lock"))
        self._listener = _listen(path)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._closed_until: float | None = None
        self._turns: Turns[socket.socket] = Turns()
        self._pieces: Pieces[socket.socket] = Pieces()

    def run(self, stop: socket.socket) -> None:
        """Serve until ``stop`` is readable; what has been taken by then is answered first."""
        self._selector.register(stop, selectors.EVENT_READ)
        stopping = False
        while not stopping:
            patience = self._door()
            for key, _ in self._selector.select(0 if self._turns else patience):
                if key.fileobj is stop:
                    stopping = True
                else:
                    self._hear(key.fileobj)
            self._serve(self._turns.next())
        while self._turns:
            self._serve(self._turns.next())

    def close(self) -> None:
        """Leave: from here on clients go to the store by themselves."""
        self._path.unlink(missing_ok=True)
        for key in list(self._selector.get_map().values()):
            if key.fileobj is not self._listener:
                self._drop(key.fileobj)
        self._listener.close()
        self._selector.close()
        os.close(self._lock)

    def _hear(self, who: object) -> None:
        """Take one message; whoever sent it is not heard again before it is answered."""
        if who is self._listener:
            self._accept()
        elif isinstance(who, socket.socket):
            records = self._take(who)
            if records is not None:
                self._selector.unregister(who)
                self._turns.add(who, records)

    def _serve(self, turns: Sequence[Turn[socket.socket]]) -> None:
        """Issue all of them in one go, answer each."""
        answers = iter(self._issuer.issue([record for turn in turns for record in turn.records]))
        for client, batch in turns:
            self._selector.register(client, selectors.EVENT_READ)
            self._answer(client, [_closed(next(answers)) for _ in batch])

    def _accept(self) -> None:
        """Let in all who wait, so that they are asked together in the next round."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError as error:
                if error.errno in _NO_ROOM:
                    self._close_door(error)
                elif isinstance(error, ConnectionError):
                    continue  # who waited has gone again
                return
            client.settimeout(0)
            self._selector.register(client, selectors.EVENT_READ)

    def _close_door(self, error: OSError) -> None:
        """Look away from those who wait: select would name them again and again."""
        _log.warning("issuer.no_room", error=str(error), clients=len(self._selector.get_map()))
        self._selector.unregister(self._listener)
        self._closed_until = time.monotonic() + _DOOR_CLOSED

    def _door(self) -> float | None:
        """Open the door again when it is time; seconds until then, None when it is open."""
        if self._closed_until is None:
            return None
        left = self._closed_until - time.monotonic()
        if left > 0:
            return left
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._closed_until = None
        return None

    def _take(self, client: socket.socket) -> list[Prepared] | None:
        """What it asks for, once all of that is there; who says nothing, or nonsense, is let go."""
        try:
            message = client.recv(MAX_MESSAGE)  # of a longer one, the rest is missing
            if message:
                whole = self._pieces.add(client, message)
                return None if whole is None else _request_decoder.decode(whole)
        except UNREADABLE as error:
            _log.warning("issuer.request_unreadable", error=str(error))
        self._drop(client)
        return None

    def _answer(self, client: socket.socket, answers: list[_Answer]) -> None:
        try:
            client.send(_encoder.encode(answers))
        except OSError:
            # It has gone, or does not read. What was issued stays issued, and whoever asks
            # again is answered with it.
            self._drop(client)

    def _drop(self, client: object) -> None:
        if isinstance(client, socket.socket):
            self._pieces.drop(client)
            self._selector.unregister(client)
            client.close()


def run_process(path: Path, issuer: Issuer) -> None:
    """Be the issuing process until SIGTERM or SIGINT; raises ConflictError ``issuer_running``."""
    process = IssuingProcess(path, issuer)
    try:
        with _stop_signals() as stop:
            _log.info("issuer.ready")
            process.run(stop)
    finally:
        process.close()


@contextmanager
def _stop_signals() -> Iterator[socket.socket]:
    """A socket that becomes readable when this process is asked to end."""
    reader, writer = socket.socketpair()
    writer.settimeout(0)
    wakeup = signal.set_wakeup_fd(writer.fileno())
    before = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield reader
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        reader.close()
        writer.close()


def _lock(path: Path) -> int:
    """Hold the lock that says who listens; the kernel lets go of it when the holder dies."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConflictError("issuer_running", "another issuing process is running") from None
    return lock


def _listen(path: Path) -> socket.socket:
    """Listen aside and move into place: a socket that a dead process left is replaced whole."""
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with short_name(aside) as address:
        listener.bind(address)
    aside.chmod(0o600)
    listener.listen(_BACKLOG)
    listener.settimeout(0)
    aside.rename(path)
    return listener


@contextmanager
def short_name(path: Path) -> Iterator[str]:
    """A name for ``path`` that is short enough for a local socket."""
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _messages(batch: Sequence[Prepared]) -> Iterator[tuple[Sequence[Prepared], bytes]]:
    """Cut a batch into messages that fit, each with its records; one record may be too large."""
    start, size = 0, ARRAY_HEADER
    encoded: list[msgspec.Raw] = []
    for at, record in enumerate(batch):
        raw = _encoder.encode(record)
        if encoded and size + len(raw) > MAX_MESSAGE:
            yield batch[start:at], _encoder.encode(encoded)
            start, size, encoded = at, ARRAY_HEADER, []
        encoded.append(msgspec.Raw(raw))
        size += len(raw)
    if encoded:
        yield batch[start:], _encoder.encode(encoded)


def _closed(answer: Issued | Problem) -> _Answer:
    if isinstance(answer, Issued):
        return _Answer(answer, None)
    refusal = _Refusal(
        type(answer).__name__, answer.code, answer.detail, answer.pointer, answer.extra
    )
    return _Answer(None, refusal)


def read_replies(message: bytes, count: int) -> list[Issued | Problem]:
    """What the process answers to a message of ``count`` records.

    Raises what ``UNREADABLE`` names, ConnectionError for an answer of another length.
    """
    replies = _reply_decoder.decode(message)
    if len(replies) != count:
        raise ConnectionError("an answer of another length")
    return [_opened(reply) for reply in replies]


def _opened(answer: _Answer) -> Issued | Problem:
    if answer.issued is not None:
        return answer.issued
    refusal = answer.refusal
    if refusal is None or refusal.fault not in _FAULTS:
        raise ConnectionError("an answer that says nothing")
    fault = _FAULTS[refusal.fault]
    return fault(refusal.code, refusal.detail, pointer=refusal.pointer, **refusal.extra)


ARRAY_HEADER = 5  # bytes of a msgpack array's longest header
_encoder = msgspec.msgpack.Encoder()
_request_decoder = msgspec.msgpack.Decoder(list[Prepared])
_reply_decoder = msgspec.msgpack.Decoder(list[_Answer])
