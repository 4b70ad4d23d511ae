"""Who has a place at a server, and who gives way: no address can keep all others out.

Where every place is taken, the address that holds most of them gives up the one that has waited
longest for its request to be whole; a connection whose request is being judged keeps its place.
"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final, Literal

Room = Literal["free", "made", "none"]
"""There was a place; another connection gave way; all are busy."""

SITE_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all that begin with these."""


@dataclass
class _Place:
    site: int | str
    since: float
    judged: bool = False


class Places:
    """The open connections of one server; safe for threads."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._guard = threading.Lock()
        self._open: dict[socket.socket, _Place] = {}

    def take(self, connection: socket.socket, host: str) -> Room:
        """Give a connection from ``host`` a place, unless there is none."""
        with self._guard:
            room: Room = "free"
            if len(self._open) >= self._most:
                if not self._make_room():
                    return "none"
                room = "made"
            self._open[connection] = _Place(site_of(host), self._clock())
            return room

    def give(self, connection: socket.socket) -> None:
        """Give the place back, if it still has one."""
        with self._guard:
            self._open.pop(connection, None)

    def has(self, connection: socket.socket) -> bool:
        """Whether it has its place; who gave way has none, and is told nothing more."""
        return connection in self._open

    def waits(self, connection: socket.socket) -> None:
        """Its next request begins to come in; until that is whole it may have to give way."""
        with self._guard:
            if place := self._open.get(connection):
                place.since, place.judged = self._clock(), False

    def judges(self, connection: socket.socket) -> bool:
        """Its request is whole, and is acted upon if this is true: it gives way no longer."""
        with self._guard:
            if place := self._open.get(connection):
                place.judged = True
            return place is not None

    def _make_room(self) -> bool:
        held = Counter(place.site for place in self._open.values())
        waiting = [item for item in self._open.items() if not item[1].judged]
        if not waiting:
            return False
        gone, _ = min(waiting, key=lambda item: (-held[item[1].site], item[1].since))
        del self._open[gone]
        with suppress(OSError):  # it has gone by itself
            gone.shutdown(socket.SHUT_RDWR)  # wakes its thread
        return True


def site_of(host: str) -> int | str:
    """What counts as one address: one of IPv4, or the network that one of IPv6 is from."""
    address = ip_address(host)
    if not isinstance(address, IPv6Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else int(address) >> SITE_BITS
