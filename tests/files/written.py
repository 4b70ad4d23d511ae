"""Files that tests write, and what was read of them."""

from pathlib import Path
from typing import Any

import msgspec

from invoice_service.files.record import Record


def written_csv(folder: Path, text: str) -> Path:
    """A table with this text."""
    path = folder / "orders.csv"
    path.write_text(text, encoding="utf-8")
    return path


def request_of(record: Record) -> dict[str, Any]:
    """The request that it has become."""
    request: dict[str, Any] = msgspec.json.decode(record.body)
    return request
