"""Posting to witnesses: what a log sends them, over connections that wait for a next time."""

import http.client
import os
import ssl
import threading
from functools import partial

from chain.deadline import Deadline
from chain.errors import UnavailableError
from chain.exchange import Address, Connection, Question, Reply, exchange


class Poster:
    """Posts, and keeps connections for the next time. Safe for threads and after a fork."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Trust the machine's certificate authorities, or what ``tls`` says."""
        self._tls = tls
        self._lock = threading.Lock()
        self._idle: dict[Address, list[Connection]] = {}
        self._process = os.getpid()

    def close(self) -> None:
        """Close the connections that wait for a next time."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connection in (one for waiting in idle.values() for one in waiting):
            connection.close()

    def post(self, address: Address, body: bytes, deadline: Deadline, limit: int) -> Reply:
        """Send ``body``, and return what is answered, at most ``limit + 1`` bytes of it.

        Redirections are not followed. Raises UnavailableError: ``witness_slow`` at the deadline,
        ``witness_unreachable``.
        """
        question = Question(
            "POST", address.path, {"Content-Type": "text/plain; charset=utf-8"}, body
        )
        try:
            fresh = partial(self._connection, address, deadline)
            reply, kept = exchange(self._take(address), fresh, question, deadline, limit)
        except TimeoutError:
            raise UnavailableError("witness_slow", "it has not answered in time") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise UnavailableError("witness_unreachable", f"no answer: {reason}") from error
        if kept is not None:
            self._keep(kept)
        return reply

    def _connection(self, address: Address, deadline: Deadline) -> Connection:
        return Connection(address, self._context() if address.tls else None, deadline)

    def _take(self, address: Address) -> Connection | None:
        with self._lock:
            if self._process != os.getpid():  # a fork must not share its parent's connections
                self._process, self._idle = os.getpid(), {}
            waiting = self._idle.get(address)
            return waiting.pop() if waiting else None

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            self._idle.setdefault(connection.address, []).append(connection)

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context()
            return self._tls
