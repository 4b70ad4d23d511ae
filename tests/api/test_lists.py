"""What a request with many records costs before it is known that it is taken."""

import tracemalloc

import pytest

from chain.errors import MalformedError
from invoice_service.api.lists import RecordList
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
