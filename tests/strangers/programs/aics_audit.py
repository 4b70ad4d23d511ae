"""Walk a whole log with aics-tlog: an order as JSON on standard input, what was read on output."""

import json
import sys
from typing import Any

import aics_tlog as tlog  # type: ignore[import-not-found]


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Authenticate every tile and every bundle under the signed checkpoint, or raise."""
    reader = tlog.HttpTileReader([order["url"]], proxies={})
    note = tlog.parse_note(reader.read_checkpoint())
    verdict = tlog.verify_checkpoint(note, tlog.parse_vkey(order["key"]))
    if not verdict.ok:
        raise ValueError(f"checkpoint: {verdict.error}")
    checkpoint = tlog.parse_checkpoint(note.text)
    report = tlog.audit_tiles(reader, checkpoint.size, checkpoint.root)
    return {"size": report.size, "tiles": report.tiles, "bundles": report.bundles}


json.dump(main(json.load(sys.stdin)), sys.stdout)
