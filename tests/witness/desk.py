"""A log that is published under a policy, and the witnesses that it asks."""

import socket
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from chain.signing.checkpoint import Checkpoint
from chain.signing.cosignature import checked_cosignatures
from chain.signing.note import VerifierKey, open_note, parse_note
from chain.signing.policy import Policy
from chain.witness.client import Limits, Witnesses
from chain.witness.cosigning import Cosigning
from tests.chain.books import SIGNER, Books
from tests.witness.inside import Peer, cosigner, serving
from tests.witness.room import LIMITS

ONE, TWO, THREE = (cosigner(number).verifier for number in (1, 2, 3))
ALL = (ONE, TWO, THREE)


@dataclass
class Desk:
    """A log under a policy in ``folder``, and its three witnesses."""

    folder: Path
    stack: ExitStack
    urls: dict[VerifierKey, str] = field(default_factory=dict)
    asked: dict[VerifierKey, list[bytes]] = field(default_factory=dict)

    def witness(self, number: int, *logs: VerifierKey) -> None:
        """Start witness ``number``; it remembers what it saw when it ran before."""
        key = cosigner(number)
        server = self.stack.enter_context(
            serving(self.folder / f"w{number}", key, logs=logs or [SIGNER.verifier])
        )
        self.urls[key.verifier] = server.url
        asked = self.asked.setdefault(key.verifier, [])
        answer = server.witness.add_checkpoint

        def counting(body: bytes) -> str:
            asked.append(body)
            return answer(body)

        server.witness.add_checkpoint = counting  # type: ignore[method-assign]  # the same, counted

    def peer(self, key: VerifierKey, answer: Callable[[bytes], bytes] | None = None) -> Peer:
        """Something else in a witness's place; without ``answer`` it never says anything."""
        peer = Peer(answer)
        self.stack.callback(peer.close)
        self.urls[key] = peer.url
        return peer

    def gone(self, key: VerifierKey) -> None:
        """Nobody listens in the witness's place."""
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            self.urls[key] = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def policy(self, quorum: int) -> Policy:
        """So many of the three."""
        return Policy(ALL, quorum, urls=dict(self.urls))

    def open(
        self, quorum: int, folder: Path | None = None, *, limits: Limits = LIMITS
    ) -> tuple[Books, Cosigning]:
        """The log as a worker opens it."""
        policy = self.policy(quorum)
        books = Books(folder or self.folder, policy=policy)
        witnesses = Witnesses(policy, limits)
        self.stack.callback(witnesses.close)
        return books, Cosigning(books.store, books.log, books.log.publisher, policy, witnesses)


def published(books: Books) -> tuple[int, set[VerifierKey]]:
    """The published size, and whose cosignatures stand below it, all of them checked."""
    note = books.published()
    open_note(note, [SIGNER.verifier])
    return Checkpoint.parse(parse_note(note).text).size, set(checked_cosignatures(note, ALL))
