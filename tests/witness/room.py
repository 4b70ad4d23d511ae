"""A room with witnesses of all kinds in it, and one who asks them."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from chain.hashing import Digest
from chain.signing.note import VerifierKey
from chain.signing.policy import Group, Policy
from chain.witness.client import Answer, Gathered, Limits, Witnesses
from chain.witness.http import WitnessServer
from tests.chain.histories import history
from tests.patience import NEVER
from tests.witness.inside import NOW, Peer, cosigner, http_answer, serving

LOG = history(40)
ONE, TWO, THREE, FOUR = map(cosigner, (1, 2, 3, 4))
K1, K2, K3, K4 = (one.verifier for one in (ONE, TWO, THREE, FOUR))
LIMITS = Limits(exchange=NEVER, grace=NEVER)
"""Whoever has these waits until all have answered, however busy the machine is."""


def line(key: int, size: int = 9) -> bytes:
    """A cosignature line as witness ``key`` makes it."""
    return cosigner(key).cosign(LOG.checkpoint(size).to_text(), NOW).line().encode()


@dataclass
class Room:
    """Witnesses of all kinds, and one who asks them."""

    folder: Path
    stack: ExitStack
    urls: dict[VerifierKey, str] = field(default_factory=dict)
    servers: dict[VerifierKey, WitnessServer] = field(default_factory=dict)
    proved: list[int] = field(default_factory=list)
    late: list[Answer] = field(default_factory=list)

    def good(self, *numbers: int) -> None:
        """Real witnesses."""
        for number in numbers:
            key = cosigner(number)
            server = self.stack.enter_context(serving(self.folder / f"w{number}", key))
            self.servers[key.verifier] = server
            self.urls[key.verifier] = server.url

    def bad(self, key: VerifierKey, peer: Peer) -> Peer:
        """Something else in a witness's place."""
        self.stack.callback(peer.close)
        self.urls[key] = peer.url
        return peer

    def answering(self, key: VerifierKey, status: int, body: bytes, media_type: str = "") -> Peer:
        """A peer that always gives the same answer."""
        return self.bad(key, Peer(lambda _: http_answer(status, body, media_type)))

    def policy(self, quorum: int | Group, *keys: VerifierKey) -> Policy:
        """A policy over these witnesses, or all."""
        return Policy(keys or tuple(self.urls), quorum, urls=self.urls)

    def witnesses(self, policy: Policy, limits: Limits = LIMITS) -> Witnesses:
        """One who asks."""
        asking = Witnesses(policy, limits)
        self.stack.callback(asking.close)
        return asking

    def prove(self, size: int) -> Callable[[int], Sequence[Digest]]:
        """Make proofs up to ``size``, and note from where."""

        def prove(old: int) -> Sequence[Digest]:
            self.proved.append(old)
            return LOG.proof(old, size)

        return prove

    def gather(
        self,
        policy: Policy,
        size: int = 9,
        *,
        note: bytes = b"",
        sizes: dict[VerifierKey, int] | None = None,
        witnesses: Witnesses | None = None,
    ) -> Gathered:
        """Ask once."""
        asking = witnesses or self.witnesses(policy)
        return asking.gather(
            note or LOG.note(size),
            sizes=sizes or {},
            prove=self.prove(size),
            late=self.late.append,
        )


def codes(gathered: Gathered) -> dict[str, str]:
    """What was the matter with whom."""
    return {
        answer.keys[0].name.rpartition("/")[2]: ""
        if answer.problem is None
        else answer.problem.code
        for answer in gathered.answers
    }


def count(server: WitnessServer, asked: list[bytes]) -> None:
    answer = server.witness.add_checkpoint

    def counting(body: bytes) -> str:
        asked.append(body)
        return answer(body)

    server.witness.add_checkpoint = counting  # type: ignore[method-assign]  # the same, counted
