"""The table in docs/mutants.md: each module, what became of its mutants, when, and of which text.

A row is written when no mutant of its module stands without an argument, so the columns add up.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from chain.hashing import sha256

COLUMNS = ("killed", "refused by mypy", "too slow", "text", "spelling", "argued")
"""What can become of a mutant; ``argued``: it stands, and is listed with the reason."""

_NOT_MUTATED = {"__init__.py"}
_HEAD = ("module", "mutants", *COLUMNS, "tried on", "text of it")
_ROW = re.compile(
    r"^\| ([\w/]+\.py) \|((?: \d+ \|)+) (\d{4}-\d\d-\d\d) \| ([0-9a-f]{8}) \|$", re.MULTILINE
)
_TABLE = re.compile(r"^\| module \|.*\n(?:\|.*\n)*", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One module: ``counts`` as in ``COLUMNS``; ``text`` tells whether it has changed since."""

    module: str
    counts: tuple[int, ...]
    day: date
    text: str

    def __str__(self) -> str:
        return _line(self.module, sum(self.counts), *self.counts, self.day, self.text)


def modules(root: Path) -> list[str]:
    """Return every module of ``chain/`` that has anything to change."""
    found = sorted((root / "chain").rglob("*.py"))
    return [str(path.relative_to(root)) for path in found if path.name not in _NOT_MUTATED]


def text_of(source: str) -> str:
    """Return eight digits that differ when the code does, and not when only a comment does."""
    return sha256(ast.unparse(ast.parse(source)).encode()).hex()[:8]


def read_table(page: str) -> list[Row]:
    """Return the rows as they are written, without the sum."""
    return [
        Row(module, tuple(map(int, re.findall(r"\d+", counts)))[1:], date.fromisoformat(day), text)
        for module, counts, day, text in _ROW.findall(page)
    ]


def row_of(module: str, counts: Mapping[str, int], day: date, source: str) -> Row:
    """Return the row of a module in which nothing stands that is not argued."""
    return Row(module, tuple(counts.get(name, 0) for name in COLUMNS), day, text_of(source))


def with_rows(page: str, new: Iterable[Row]) -> str:
    """Return the page with these rows instead of those of the same modules."""
    rows = {row.module: row for row in [*read_table(page), *new]}
    sums: Counter[str] = Counter()
    for row in rows.values():
        sums.update(dict(zip(COLUMNS, row.counts, strict=True)))
    total = [sums[name] for name in COLUMNS]
    lines = [
        _line(*_HEAD),
        "|---|" + "--:|" * (len(COLUMNS) + 1) + "---|---|",
        *(str(rows[module]) for module in sorted(rows)),
        _line("sum", sum(total), *total, "", ""),
    ]
    return _TABLE.sub(lambda _: "\n".join(lines) + "\n", page, count=1)


def changed(page: str, root: Path) -> list[str]:
    """Return the modules that have no row, or another text than when they were tried."""
    tried = {row.module: row.text for row in read_table(page)}
    return [
        module
        for module in modules(root)
        if tried.get(module) != text_of((root / module).read_text(encoding="utf-8"))
    ]


def _line(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
