"""One POST to a witness: what is sent, how much is read, and which connection is used again."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from chain.deadline import Deadline
from chain.errors import UnavailableError
from chain.exchange import Address
from chain.witness.post import Poster
from tests.chain.served import answer, answering
from tests.patience import PATIENCE
from tests.witness.inside import Peer, http_answer


@pytest.fixture
def poster() -> Iterator[Poster]:
    """One who posts."""
    with closing(Poster()) as poster:
        yield poster


def _to(url: str) -> Address:
    return Address.parse(url, "add-checkpoint", "witness_url")


def _post(poster: Poster, url: str, limit: int = 100) -> bytes:
    """Post nothing, which is sent in one piece: the server answers each piece."""
    return poster.post(_to(url), b"", Deadline(PATIENCE), limit).body


def _kept(poster: Poster) -> int:
    """How many connections wait for a next time."""
    return sum(map(len, poster._idle.values()))


def test_what_is_sent_says_where_to_and_what_it_is(poster: Poster) -> None:
    with closing(Peer(lambda _: http_answer(200, b"yes"))) as peer:
        assert poster.post(_to(peer.url), b"body", Deadline(PATIENCE), 9).body == b"yes"
    head, *lines = peer.heads[0].split(b"\r\n")
    assert head == b"POST /add-checkpoint HTTP/1.1"
    assert b"Host: " + peer.url.removeprefix("http://").encode() in lines
    assert b"Content-Type: text/plain; charset=utf-8" in lines
    assert peer.requests == [b"body"]


def test_who_does_not_answer_is_slow(poster: Poster) -> None:
    with (
        closing(Peer()) as silent,
        pytest.raises(UnavailableError, match=r"^witness_slow\b"),
    ):
        poster.post(_to(silent.url), b"", Deadline(0.05), 9)
    assert _kept(poster) == 0


def test_an_answer_need_not_say_what_it_is(poster: Poster) -> None:
    with answering([answer(200, b"yes", "Connection: close")]) as url:
        reply = poster.post(_to(url), b"", Deadline(PATIENCE), 9)
    assert (reply.status, reply.media_type, reply.body) == (200, "", b"yes")


def test_one_byte_more_than_allowed_is_read_and_no_other(poster: Poster) -> None:
    for sent, read in ((5, 5), (6, 6), (7, 6), (50, 6)):
        with answering([answer(200, b"x" * sent, "Connection: close")]) as url:
            assert _post(poster, url, limit=5) == b"x" * read


def test_one_connection_serves_as_long_as_it_lasts(poster: Poster) -> None:
    first = [answer(200, b"one"), answer(200, b"two", "Connection: close")]
    with answering(first, [answer(200, b"three")]) as url:
        assert (_post(poster, url), _kept(poster)) == (b"one", 1)
        assert (_post(poster, url), _kept(poster)) == (b"two", 0)
        assert (_post(poster, url), _kept(poster)) == (b"three", 1)
        poster.close()


def test_a_connection_with_something_left_on_it_is_not_used_again(poster: Poster) -> None:
    """The rest of an answer would be taken for the beginning of the next one."""
    with answering([answer(200, b"x" * 50)], [answer(200, b"two")]) as url:
        assert (_post(poster, url, limit=5), _kept(poster)) == (b"x" * 6, 0)
        assert _post(poster, url) == b"two"
        poster.close()


def test_a_connection_that_made_trouble_is_not_used_again(poster: Poster) -> None:
    with answering([b"SSH-2.0-OpenSSH_9.2\r\n"], [answer(200, b"two")]) as url:
        with pytest.raises(UnavailableError, match=r"^witness_unreachable\b"):
            _post(poster, url)
        assert _kept(poster) == 0
        assert _post(poster, url) == b"two"
        poster.close()
