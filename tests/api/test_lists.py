"""What a request with many records costs before it is known that it is taken."""

import io
import tracemalloc

import pytest

from chain.errors import MalformedError
from invoice_service.api.lists import RecordList
from invoice_service.api.requests import WHOLE
from tests.api.desk import Desk
from tests.domain.endless import Endless

MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("piece", "code"), [(b"x\n", "too_many_records"), (b"\n", "empty_body"), (b" ", "empty_body")]
)
def test_a_list_of_33_megabytes_is_refused_for_a_few(desk: Desk, piece: bytes, code: str) -> None:
    size = desk.config.limits.batch_bytes
    overrides = {"wsgi.input": Endless(piece, size), "CONTENT_LENGTH": str(size)}
    with desk.app.test_request_context("/", method="POST", environ_overrides=overrides):
        tracemalloc.start()
        try:
            with pytest.raises(MalformedError) as caught:
                RecordList(desk.config.limits)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert caught.value.code == code
    assert peak < 5 * MEGABYTE


def test_what_the_server_in_front_has_taken_in_is_read_where_it_lies(desk: Desk) -> None:
    """And once: no second copy, in memory or on disk."""
    taken = io.BytesIO(b"1\n2\n")
    overrides = {"wsgi.input": taken, "wsgi.input_terminated": True, "CONTENT_LENGTH": "4"}
    with desk.app.test_request_context("/", method="POST", environ_overrides=overrides):
        RecordList(desk.config.limits).close()
        assert not taken.closed  # another server's stays its own
    taken.seek(0)
    overrides[WHOLE] = True
    with desk.app.test_request_context("/", method="POST", environ_overrides=overrides):
        asked = RecordList(desk.config.limits)
        assert list(asked.records()) == [b"1", b"2"]
        asked.close()
        assert taken.closed


def test_what_lies_there_is_not_larger_than_a_list_may_be(desk: Desk) -> None:
    large = str(desk.config.limits.batch_bytes + 1)
    overrides = {"wsgi.input": io.BytesIO(b"1"), WHOLE: True, "CONTENT_LENGTH": large}
    with (
        desk.app.test_request_context("/", method="POST", environ_overrides=overrides),
        pytest.raises(MalformedError) as caught,
    ):
        RecordList(desk.config.limits)
    assert caught.value.code == "body_too_large"
