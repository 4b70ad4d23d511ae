"""Have a log's checkpoints cosigned with aics-witness's own client, proofs made by aics-tlog.

The order, as JSON on standard input: the witness's ``url`` and ``vkey``, the log's ``key``, and
addresses of ``logs``, the smaller first. Printed: what came of each.
"""

import json
import sys
from typing import Any

import aics_tlog as tlog  # type: ignore[import-not-found]
from aics_witness import feeder  # type: ignore[import-not-found]


def main(order: dict[str, Any]) -> list[dict[str, Any]]:
    """Every checkpoint with the witness's line under it has to be one that aics-tlog accepts."""
    witness, log = tlog.parse_vkey(order["vkey"]), tlog.parse_vkey(order["key"])
    with feeder.WitnessClient(order["url"], witness, backoff=0.05) as client:
        return [cosigned(client, url, log, witness) for url in order["logs"]]


def cosigned(client: Any, url: str, log: Any, witness: Any) -> dict[str, Any]:  # noqa: ANN401 # of others
    """Ask once; the client finds out by itself from which size a proof is needed."""
    reader = tlog.HttpTileReader([url], proxies={})
    note = reader.read_checkpoint()
    asked: list[list[int]] = []

    def prove(old: int, new: int) -> list[bytes]:
        asked.append([old, new])
        proof: list[bytes] = tlog.consistency_proof_from_tiles(reader, old, new)
        return proof

    try:
        lines = client.submit(note, prove)
    except feeder.FeederError as error:
        return {"refused": type(error).__name__, "status": getattr(error, "status", 0)}
    merged = feeder.merge_cosignatures(note, lines)
    verdict = tlog.verify_checkpoint(tlog.parse_note(merged), log, [witness], quorum=1)
    return {"ok": verdict.ok, "proofs": asked, "note": merged.decode()}


json.dump(main(json.load(sys.stdin)), sys.stdout)
