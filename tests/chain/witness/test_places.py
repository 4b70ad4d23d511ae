"""Who gets a place at a server, and who has to give way."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from chain.witness.places import Places, site_of


class Hall:
    """Places at a clock of our own, and connections with somebody at the other end."""

    def __init__(self, stack: ExitStack, most: int) -> None:
        self.now = 100.0
        self.places = Places(most, lambda: self.now)
        self._stack = stack
        self._ends: dict[socket.socket, socket.socket] = {}

    def come(self, host: str, room: str = "free") -> socket.socket:
        """Somebody comes, a second after the one before."""
        self.now += 1
        here, there = socket.socketpair()
        self._stack.enter_context(here)
        self._stack.enter_context(there)
        self._ends[here] = there
        assert self.places.take(here, host) == room
        assert self.places.has(here) == (room != "none")
        return here

    def is_cut(self, connection: socket.socket) -> bool:
        """Whether both ends know that it has no place any more."""
        if self.places.has(connection):
            return False
        return connection.recv(1) == b"" and self._ends[connection].recv(1) == b""


@pytest.fixture
def hall() -> Iterator[Hall]:
    """Four places."""
    with ExitStack() as stack:
        yield Hall(stack, 4)


def test_where_there_is_room_nobody_gives_way(hall: Hall) -> None:
    there = [hall.come("192.0.2.1") for _ in range(4)]
    assert all(hall.places.has(one) for one in there)


def test_the_one_that_waited_longest_of_the_address_with_most_gives_way(hall: Hall) -> None:
    other = hall.come("192.0.2.2")
    first, second, third = (hall.come("192.0.2.1") for _ in range(3))
    hall.come("192.0.2.3", "made")
    assert hall.is_cut(first)
    assert [hall.places.has(one) for one in (other, second, third)] == [True] * 3


def test_of_addresses_with_as_many_the_longest_wait_decides(hall: Hall) -> None:
    first, *rest = (hall.come(f"192.0.2.{n}") for n in range(4))
    hall.come("192.0.2.9", "made")
    assert hall.is_cut(first)
    assert all(hall.places.has(one) for one in rest)


def test_who_comes_again_and_again_drives_out_its_own_alone(hall: Hall) -> None:
    other = hall.come("192.0.2.2")
    for _ in range(3):
        hall.come("192.0.2.1")
    for _ in range(20):
        hall.come("192.0.2.1", "made")
    assert hall.places.has(other)


def test_a_wait_begins_with_each_request(hall: Hall) -> None:
    first, second, *_ = (hall.come("192.0.2.1") for _ in range(4))
    hall.now += 1
    hall.places.waits(first)
    hall.come("192.0.2.1", "made")
    assert hall.is_cut(second)
    assert hall.places.has(first)


def test_what_is_judged_keeps_its_place_until_the_next_request(hall: Hall) -> None:
    there = [hall.come("192.0.2.1") for _ in range(4)]
    assert all(hall.places.judges(one) for one in there)
    hall.come("192.0.2.2", "none")
    hall.places.waits(there[2])
    hall.come("192.0.2.2", "made")
    assert hall.is_cut(there[2])
    assert hall.places.has(there[0])


def test_who_gave_way_is_not_judged(hall: Hall) -> None:
    first, *_ = (hall.come("192.0.2.1") for _ in range(4))
    hall.come("192.0.2.2", "made")
    assert not hall.places.judges(first)
    hall.places.waits(first)
    assert not hall.places.judges(first)
    hall.places.give(first)


def test_a_place_that_is_given_back_is_free(hall: Hall) -> None:
    first, *_ = (hall.come("192.0.2.1") for _ in range(4))
    hall.places.give(first)
    hall.come("192.0.2.1")


def test_who_has_gone_by_itself_gives_way_too(hall: Hall) -> None:
    first, *_ = (hall.come("192.0.2.1") for _ in range(4))
    first.close()
    hall.come("192.0.2.2", "made")
    assert not hall.places.has(first)


def test_without_places_there_is_none() -> None:
    with ExitStack() as stack:
        Hall(stack, 0).come("192.0.2.1", "none")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, *, same: bool) -> None:
    assert (site_of(one) == site_of(other)) == same
