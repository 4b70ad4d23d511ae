"""An instance in order, and ways to change it behind its back."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain import canonical
from chain.audit.finding import AuditError
from invoice_service.domain.invoice import document_digest
from tests.services.town import Town

INVOICES = 12
"""Anchored in four blocks over three days; invoice 8 reverses invoice 2. Two more are pending."""


def fill(folder: Path) -> None:
    """Make the instance that is then tampered with."""
    town = Town(folder)
    town.settle_in()
    blues = town.issue(4)
    town.anchor()
    town.issue(3)
    town.reverse(blues[1])
    town.anchor()
    town.pass_days(1)
    town.issue(3)
    town.anchor()
    town.pass_days(1)
    town.issue(1)
    town.anchor()
    town.issue(2)
    town.close()


def tamper(
    town: Town,
    *statements: str,
    values: Sequence[object] = (),
    db: str = "invoices",
    changes: bool = True,
) -> None:
    """Change the database as somebody would who owns the file, and cover the tracks."""
    tamper_file(town.folder / f"{db}.db", *statements, values=values, changes=changes)


def tamper_file(
    file: Path, *statements: str, values: Sequence[object] = (), changes: bool = True
) -> None:
    """The same with any database."""
    connection = sqlite3.connect(file)
    connection.create_function("flip", 1, flip)
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement, values)
        assert not changes or connection.execute("SELECT changes()").fetchone() != (0,)
    for _, sql in triggers:
        connection.execute(sql)
    connection.commit()
    connection.close()


def flip(value: int | str | bytes) -> int | str | bytes:
    """Change one byte of a column's value, in the middle, to another of its kind, or add one."""
    if isinstance(value, int):
        return value ^ 1
    if value == b"":
        return b"\0"
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    middle = len(value) // 2
    return value[:middle] + chr(ord(value[middle]) ^ 1) + value[middle + 1 :]


def first_wrong(town: Town) -> tuple[str, int | str]:
    """Return kind and place of what the audit names."""
    with pytest.raises(AuditError) as caught:
        town.audit()
    return str(caught.value.extra["kind"]), caught.value.extra["place"]


def forge(
    town: Town,
    seq: int,
    change: Callable[[dict[str, Any]], None],
    lines: bytes | None = None,
    **columns: int | str,
) -> None:
    """Change a document, maybe its lines, and everything in its row that follows from it."""
    invoice = town.store.invoice_at(seq)
    assert invoice is not None
    face: dict[str, Any] = msgspec.json.decode(invoice.face)
    change(face)
    forged = msgspec.structs.replace(
        invoice, face=canonical.encode(face), lines=lines or invoice.lines
    )
    digest = document_digest(forged.face, forged.buyer, forged.lines, forged.salts)
    same = ("order_id", "number", "code", "amount", "tax", "total", "type")
    values = {"face": forged.face, "form": None, "lines": forged.lines, "hash": digest}
    values |= {name: face[name] for name in same} | columns
    tamper(
        town,
        f"UPDATE invoices SET {', '.join(f'{name} = ?' for name in values)} WHERE seq = {seq}",
        values=list(values.values()),
    )
