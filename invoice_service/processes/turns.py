"""Whose records are issued next: many wait for their turn, few never wait for many."""

from collections import deque
from collections.abc import Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from invoice_service.domain.invoice import Prepared

FEW: Final = 32
"""Records that are no batch: a till's, or some that came together."""

ROUND: Final = 200
"""Records of batches in one round; one message may be more."""

Client = TypeVar("Client")


class Turn(NamedTuple, Generic[Client]):
    """What one client has handed over."""

    client: Client
    records: Sequence[Prepared]


class Turns(Generic[Client]):
    """Those who wait. Rounds of few and rounds of many take turns, so that neither starves.

    Of the many each client has one piece in the queue, and joins it at the end with the next.
    """

    def __init__(self) -> None:
        self._few: list[Turn[Client]] = []
        self._many: deque[Turn[Client]] = deque()
        self._after_few = False

    def __bool__(self) -> bool:
        return bool(self._few or self._many)

    def add(self, client: Client, records: Sequence[Prepared]) -> None:
        """Wait."""
        queue = self._few if len(records) <= FEW else self._many
        queue.append(Turn(client, records))

    def next(self) -> list[Turn[Client]]:
        """All that is issued together now; nothing where nobody waits."""
        if self._few and not (self._after_few and self._many):
            turns, self._few, self._after_few = self._few, [], True
            return turns
        self._after_few = False
        turns = []
        room = ROUND
        while self._many and (not turns or len(self._many[0].records) <= room):
            turns.append(self._many.popleft())
            room -= len(turns[-1].records)
        return turns
