"""A store in which nothing has been issued, made once in a process and copied for each test."""

import tempfile
from functools import cache
from pathlib import Path

from invoice_service.storage.sqlite import create_store


def fresh_store(path: Path) -> None:
    """Put one there, unless a store is there already."""
    if not path.exists():
        path.touch(0o600)
        path.write_bytes(_empty())


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "invoices.db"
        create_store(path)
        return path.read_bytes()
