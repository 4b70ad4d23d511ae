"""The longest order there may be: over HTTP, in a batch, in the log, and in both verifiers."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chain.errors import MalformedError
from chain.proof.file import MAX_PROOF_BYTES, parse_proof
from chain.proof.verify import verify_proof
from chain.signing.note import VerifierKey
from invoice_service.domain.document import read_lines
from invoice_service.domain.request import MAX_BYTES, MAX_LINES
from tests.journeys.service import Service
from tests.verifier.test_cases import RUNNER, SECONDS

NAME, SPEC = "餐" * 100, "规" * 30
PRICE, OFF = 300, 5


def order(name: str, lines: int) -> bytes:
    """So many lines, as long as they may be, each and all of them with a discount."""
    line = {"name": NAME, "spec": SPEC, "unit_price": PRICE, "tax_rate": "0.06", "discount": OFF}
    body = {"order_id": name, "discount": lines, "lines": [line] * lines}
    return json.dumps(body, ensure_ascii=False).encode()


@pytest.mark.slow
def test_an_order_of_2000_lines(service: Service) -> None:
    _, key = service.admit()
    service.start()
    till = service.remote(key)
    longest = order("L1", MAX_LINES)
    assert 0.8 * MAX_BYTES < len(longest) <= MAX_BYTES
    invoice = json.loads(till.post("/v1/invoices", longest))
    assert invoice["total"] == MAX_LINES * (PRICE - OFF - 1)
    assert json.loads(till.post("/v1/invoices", longest))["hash"] == invoice["hash"]

    bodies = [order("L2", MAX_LINES), order("S1", 1), order("L3", MAX_LINES + 1), order("S2", 1)]
    answer = till.post("/v1/invoices/batch", b"\n".join(bodies), "application/x-ndjson")
    results = [json.loads(line) for line in answer.splitlines()]
    assert [result["status"] for result in results] == [201, 201, 422, 201]
    assert results[2]["problem"]["code"] == "too_many_lines"
    assert results[2]["problem"]["limit"] == MAX_LINES
    with pytest.raises(MalformedError) as caught:
        till.post("/v1/invoices", order("L4", 2 * MAX_LINES))
    assert caught.value.code == "body_too_large"

    service.wait_until_anchored(4)
    _is_proved(service, till.get(f"/v1/invoices/{invoice['hash']}/proof"), invoice)
    audit = service.asked("audit")
    assert (audit["clean"], audit["invoices"]) == (True, 4)


def _is_proved(service: Service, proof: bytes, invoice: dict[str, Any]) -> None:
    """By both verifiers, whole, and with nothing hidden."""
    key = service.remote().get("/log/key").decode().splitlines()[0]
    assert MAX_BYTES < len(proof) < MAX_PROOF_BYTES
    evidence = verify_proof(parse_proof(proof), VerifierKey.parse(key))
    assert (evidence.hash, evidence.hidden) == (invoice["hash"], ())
    lines = read_lines(json.dumps(json.loads(proof)["groups"]["lines"]["document"]).encode())
    assert len(lines) == 2 * MAX_LINES
    assert sum(line.total for line in lines) == invoice["total"]
    case = Path(service.folder / "case.jsonl")
    row = {"name": "long", "key": key, "file": proof.decode()}
    case.write_text(json.dumps(row) + "\n", encoding="utf-8")
    node = shutil.which("node")
    assert node, "node is not installed: the page's verifier cannot be tested"
    done = subprocess.run(
        [node, RUNNER, case], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    found = json.loads(done.stdout)
    assert (found["code"], found["evidence"]["hash"]) == ("ok", invoice["hash"])
    assert found["evidence"]["hidden"] == []
