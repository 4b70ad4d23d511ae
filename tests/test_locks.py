"""Nobody waits for a file lock without an end: whoever holds it may have been stopped."""

import ast
from collections.abc import Iterator
from pathlib import Path

WAITS = {
    "chain/proof/memory.py": "one person's own commands, for a few lines",
    "invoice_service/api/operations/counts.py": "a file that nobody else knows yet",
    "invoice_service/processes/tether.py": "that is what it is for: it ends with its parent",
    "invoice_service/storage/sqlite/turnstile.py": "a thread aside, whom nobody waits for",
}


def test_nothing_else_waits_for_a_lock_without_an_end() -> None:
    """A holder that is stopped would hang whoever starts, signs in or forgets somebody."""
    found = {
        str(path)
        for room in ("chain", "invoice_service", "workers")
        for path in Path(room).rglob("*.py")
        for call in _locks(ast.parse(path.read_text("utf-8")))
        if not ("LOCK_NB" in call or "LOCK_UN" in call)
    }
    assert found == {*WAITS}


def _locks(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "fcntl.flock":
            yield ast.unparse(node)
