"""Bent requests through the real front doors: records in bulk, and a witness over HTTP."""

import io
import json
import socket
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from chain.witness.http import WitnessServer
from invoice_service.api.catalog import CATALOG
from tests.api.desk import MEAL, NDJSON, TAX_ID, Desk
from tests.chain.histories import history
from tests.fuzz.bending import bent
from tests.fuzz.test_parsers import looking
from tests.patience import PATIENCE
from tests.witness.inside import cosigner, serving

chances = st.randoms(use_true_random=True)


# Records in bulk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One instance for all requests, with an invoice in the log and one that waits."""
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        desk.issue("before")
        desk.anchor()
        desk.issue("waiting")
        yield desk


def checked(answer: TestResponse, body: bytes, header_lines: int) -> None:
    """Refused whole by a known code, or a result for each record, none of them our own fault."""
    if answer.status_code != 200:
        _known(answer.get_json(), answer.status_code)
        return
    results = [json.loads(line) for line in answer.get_data().splitlines()]
    numbers = [number for number, line in enumerate(io.BytesIO(body), 1) if line.strip()]
    assert [result["line"] for result in results] == numbers[header_lines:]
    for result in results:
        if "problem" in result:
            _known(result["problem"], result["problem"]["status"])


def _known(problem: dict[str, Any], status: int) -> None:
    assert 400 <= status < 500, problem
    assert CATALOG[problem["code"]].status == status


def slips(desk: Desk) -> dict[str, bytes]:
    """Slips to check, in each of the three types."""
    rows = desk.client.get("/v1/invoices", headers=desk.auth()).get_json()["invoices"]
    fields = [(row["hash"], row["number"], str(row["total"])) for row in rows]
    commas = (
        f"01,10,{rows[0]['code']},{rows[0]['number']},{TAX_ID},469.91,20261121,{rows[0]['hash']}"
    )
    names = ("hash", "bill_num", "total_amount")
    return {
        NDJSON: "".join(
            json.dumps(dict(zip(names, one, strict=True))) + "\n" for one in fields
        ).encode()
        + json.dumps({"qr": rows[0]["qr"]}).encode(),
        "text/csv": "\n".join([",".join(names), *map(",".join, fields), ""]).encode(),
        "text/plain": "\n".join([rows[0]["qr"], commas, ""]).encode(),
    }


@pytest.mark.parametrize("kind", [NDJSON, "text/csv", "text/plain"])
@looking
@given(chance=chances)
def test_every_bent_slip_has_a_verdict_or_a_problem(desk: Desk, kind: str, chance: Random) -> None:
    good = slips(desk)
    body = bent(good[kind], tuple(good.values()), chance)
    answer = desk.client.post("/v1/verifications", data=body, headers={"Content-Type": kind})
    checked(answer, body, header_lines=kind == "text/csv")


@looking
@given(chance=chances)
def test_every_bent_order_has_an_invoice_or_a_problem(desk: Desk, chance: Random) -> None:
    orders = [
        {"order_id": "T1", "lines": [MEAL], "remark": "谢谢"},
        {"order_id": "T2", "lines": [MEAL, MEAL | {"quantity": "2.5"}], "total": 174335},
        {"order_id": "T3", "lines": [MEAL], "buyer": {"kind": "individual", "name": "张三"}},
    ]
    rows = [json.dumps(order, ensure_ascii=False).encode() for order in orders]
    at = chance.randrange(len(rows))
    rows[at] = bent(rows[at], rows, chance)
    body = b"\n".join(rows)
    answer = desk.post("/v1/invoices/batch", body, {"Content-Type": NDJSON})
    checked(answer, body, header_lines=0)


# A witness


KEY = cosigner(7)
LOG = history(9)
PATH = b"/add-checkpoint HTTP/1.1\r\nHost: w\r\n"
STATUSES = {200, 400, 403, 404, 405, 409, 411, 413, 414, 422, 431, 501, 505}


class Refusals:
    """The witness with what it wrote down about its refusals."""

    def __init__(self, server: WitnessServer) -> None:
        self.codes: list[str] = []
        self._port = int(server.server_address[1])
        server.refused = self._refused  # type: ignore[method-assign]  # or it goes to stderr

    def ask(self, sent: bytes) -> list[int]:
        """The statuses of all answers to these bytes; none when the witness hangs up on us."""
        content = b""
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(1 << 16):
                    content += piece
            except TimeoutError:
                raise
            except OSError:  # it had read enough: what it said last may be lost on the way
                return []
        return list(_statuses(content))

    def _refused(self, status: int, code: str, detail: str, **more: str | int) -> None:
        self.codes.append(code)


def _statuses(content: bytes) -> Iterator[int]:
    """The answers one after the other; each says how long it is."""
    while content:
        head, end, content = content.partition(b"\r\n\r\n")
        assert end, head
        first, *fields = head.split(b"\r\n")
        version, status, _ = first.split(b" ", 2)
        assert version == b"HTTP/1.1"
        yield int(status)
        if status != b"100":
            (length,) = (int(f[16:]) for f in fields if f.startswith(b"Content-Length: "))
            assert len(content) >= length
            content = content[length:]


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refusals]:
    """One witness for all requests."""
    with serving(tmp_path_factory.mktemp("witness") / "w", KEY) as server:
        yield Refusals(server)


def request(body: bytes, head: bytes = b"") -> bytes:
    """A whole request."""
    return b"POST %s%sContent-Length: %d\r\n\r\n%s" % (PATH, head, len(body), body)


GOOD = (
    request(LOG.request(0, 3)),
    request(LOG.request(3, 9)),
    request(LOG.request(0, 3)) * 2,
    request(LOG.request(0, 3), b"Connection: close\r\nExpect: 100-continue\r\n"),
    b"GET /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n",
    b"POST %sTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\n\r\n" % PATH,
)


@looking
@given(chance=chances)
def test_a_witness_answers_every_bent_request_or_closes(witness: Refusals, chance: Random) -> None:
    witness.codes.clear()
    statuses = witness.ask(bent(chance.choice(GOOD), GOOD, chance))
    assert set(statuses) <= STATUSES | {100}
    assert "internal" not in witness.codes
    assert witness.ask(GOOD[0]) in ([200], [409])


@pytest.mark.parametrize("zeros", [1, 19, 20, 21, 5000])
def test_a_length_with_zeros_before_it_is_that_length(witness: Refusals, zeros: int) -> None:
    """Read as 0, its body would be taken for the next request."""
    body = LOG.request(0, 3)
    padded = b"0" * zeros + b"%d" % len(body)
    sent = b"POST %sContent-Length: %s\r\n\r\n%s" % (PATH, padded, body)
    assert witness.ask(sent) in ([200], [409])
