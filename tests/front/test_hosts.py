"""Who is asked for: a name that is none is refused before anything of ours looks at it."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.routing import Map

from invoice_service.front.incoming import HOST
from tests.front.stage import Acts, Client, Place, body_of, stage, status


@pytest.fixture
def acts() -> Acts:
    """What is done with what was asked."""
    return Acts()


@pytest.fixture
def place(acts: Acts) -> Iterator[Place]:
    """A server."""
    with stage(acts) as place:
        yield place


@pytest.mark.parametrize(
    "host",
    [
        *(b"a..b", b".a", b".", b"a" * 64, b"a." + b"b" * 64 + b".c", b"a." * 128, b"[.]"),
        *(
            b"[::1",
            b"[]",
            b"[" + b":" * 60 + b"]",
            b"a..b:80",
            "例子.cn".encode(),
            b"\xff",
            b"a\x1bb",
        ),
    ],
)
def test_what_is_no_name_is_refused(acts: Acts, place: Place, host: bytes) -> None:
    with Client(place) as client:
        answer = client.say(b"GET / HTTP/1.1\r\nHost: ", host, b"\r\n\r\n").rest()
    assert status(answer) == 400
    assert acts.seen == []


def test_the_longest_name_will_do(acts: Acts, place: Place) -> None:
    host = b".".join([b"a" * 63] * 3) + b"." + b"b" * 61 + b".:65535"
    with Client(place) as client:
        answer = client.say(b"GET / HTTP/1.1\r\nHost: ", host, b"\r\n\r\n").answer()
    assert (status(answer), body_of(answer)) == (200, b"/ 0")


@given(st.from_regex(HOST, fullmatch=True))
def test_whatever_is_well_formed_is_a_name_to_what_stands_behind(host: bytes) -> None:
    Map().bind(host.decode("ascii"), "/")
