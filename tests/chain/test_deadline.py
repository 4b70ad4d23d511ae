"""Time limits over a whole exchange, with a clock at hand."""

import socket
from collections.abc import Iterator

import pytest

from chain import deadline
from chain.deadline import Deadline, TimedReader


class Clock:
    """Time as it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that deadlines look at."""
    clock = Clock()
    monkeypatch.setattr(deadline, "time", clock)
    return clock


def test_time_runs_out(clock: Clock) -> None:
    end = Deadline(2.5)
    assert end.left() == 2.5
    clock.now += 2.0
    assert end.left() == 0.5
    clock.now += 0.5  # none is left: a socket would take 0 for "do not wait", not for "too late"
    with pytest.raises(TimeoutError, match="over"):
        end.left()
    end.restart(1.0)
    assert end.left() == 1.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_reader_counts_bytes_and_gives_each_wait_what_is_left(
    clock: Clock, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair
    reader = TimedReader(here, Deadline(30.0))
    assert reader.received == 0
    for sent, received in ((b"abc", 3), (b"de", 5)):
        there.sendall(sent)
        assert reader.read(9) == sent
        assert reader.received == received
    clock.now += 20.0
    there.sendall(b"f")
    reader.read(1)
    assert here.gettimeout() == 10.0
    clock.now += 10.0
    there.sendall(b"g")
    with pytest.raises(TimeoutError):
        reader.read(1)
    there.close()
    reader.close()
    assert reader.closed


def test_the_end_of_a_connection_is_no_byte(
    clock: Clock, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair
    reader = TimedReader(here, Deadline(clock.now))
    there.shutdown(socket.SHUT_RDWR)
    assert reader.read(9) == b""
    assert reader.received == 0
    assert reader.readable()
    reader.close()
