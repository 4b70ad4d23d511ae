"""The log as everybody walks through it, for ``scripts.examples``."""

from collections.abc import Iterator
from typing import Any


def explorer_calls() -> Iterator[tuple[str, dict[str, Any]]]:
    """Operations and their parameters; first all is anchored a day later, which closes a day."""
    yield "ANCHOR", {"days": 1}
    yield "exploreLog", {}
    yield "comparePage", {}
    yield "exploreBlocks", {"before": 2}
    yield "exploreBlock", {"height": 1, "from": 0}
    yield "exploreEntry", {"index": 0}
    yield "entryProof", {"index": 0}
    yield "exploreClosings", {"before": "2026-11-22"}
    yield "exploreClosing", {"day": "2026-11-21"}
    yield "exploreKeys", {"before": 2}
    yield "exploreActs", {"block": 1}
    yield "exploreSearch", {"q": "1"}
