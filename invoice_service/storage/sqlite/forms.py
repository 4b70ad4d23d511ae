"""Forms: what the faces of many invoices have in common, stored once (ADR 0032).

A merchant's seller data and people stand on every one of its faces. What differs has a column.
"""

import sqlite3
from collections.abc import Callable
from typing import Final

MOST_KEPT: Final = 10_000
"""How many forms a process knows by heart; some hundred bytes each."""


class Forms:
    """The numbers of stored forms, as far as committed transactions have shown them."""

    def __init__(self) -> None:
        self._kept: dict[bytes, int] = {}

    def within(self, execute: Callable[..., sqlite3.Cursor]) -> "FormsWithin":
        """The same within a transaction."""
        return FormsWithin(execute, self._kept)

    def keep(self, found: "FormsWithin") -> None:
        """Remember what a transaction found or stored, now that it is committed."""
        if len(self._kept) + len(found.new) > MOST_KEPT:
            self._kept = {}
        self._kept |= found.new


class FormsWithin:
    """Forms as one transaction sees them; ``new`` are those it had to look up or to store."""

    def __init__(self, execute: Callable[..., sqlite3.Cursor], kept: dict[bytes, int]) -> None:
        self._execute = execute
        self._kept = kept
        self.new: dict[bytes, int] = {}

    def id(self, form: bytes) -> int:
        """The number of this form, which is stored when it is a new one."""
        known = self._kept.get(form) or self.new.get(form)
        if known is None:
            known = self.new[form] = self._stored(form)
        return known

    def forget(self, count: int) -> None:
        """Forget all but the first ``count`` new ones: their rows have been rolled back."""
        for form in list(self.new)[count:]:
            del self.new[form]

    def _stored(self, form: bytes) -> int:
        found = self._execute("SELECT id FROM forms WHERE text = ?", (form,)).fetchone()
        if found is None:
            insert = "INSERT INTO forms (text) VALUES (?) RETURNING id"
            found = self._execute(insert, (form,)).fetchone()
        return int(found[0])
