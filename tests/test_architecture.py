"""docs/architecture.md shows the house as it stands: its picture, its walk, its rooms."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
PACKAGES = ("chain", "invoice_service", "workers")


def contracts() -> dict[str, dict[str, Any]]:
    """The import contracts by name."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {entry["name"]: entry for entry in tables["tool"]["importlinter"]["contracts"]}


def layers(name: str) -> list[set[str]]:
    """A contract's layers from the top as rooms' names; a room of two layers is in the upper."""
    found: list[set[str]] = []
    for layer in contracts()[name]["layers"]:
        modules = [module.strip() for module in re.split(r"[|:]", layer)]
        rooms = {module.split(".")[1] for module in modules} - {"__main__"}
        found.append(rooms.difference(*found))
    return [rooms for rooms in found if rooms]


def drawn() -> list[set[str]]:
    """The rooms in each line of the picture, without the words beside them; none in a rule."""
    picture = PAGE.split("```text\n")[1].split("```")[0]
    return [set(re.findall(r"[a-z_]+", line[:48])) for line in picture.splitlines()]


def row_of(room: str, rows: list[set[str]]) -> int:
    """The line in which a room is drawn: the first that names it."""
    return next(number for number, words in enumerate(rows) if room in words)


def test_the_picture_has_the_layers_of_the_contracts() -> None:
    rows = drawn()
    service, ground = (number for number, words in enumerate(rows) if not words)
    for name, start in (("layers inside the service", service), ("rooms inside the chain", ground)):
        lines = [{row_of(room, rows[start:]) for room in layer} for layer in layers(name)]
        for above, below in pairwise(lines):
            assert max(above) < min(below), (name, above, below)


def test_every_room_has_its_line_and_every_line_its_room() -> None:
    listed = re.findall(r"^\| `([a-z_/]+)` \|", PAGE, re.MULTILINE)
    assert len(listed) == len(set(listed))
    rooms = {
        path.parent.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("__init__.py")
    }
    assert set(listed) == rooms


def test_every_room_is_under_a_contract() -> None:
    named = " ".join(str(entry.get("layers")) for entry in contracts().values())
    for room in re.findall(r"^\| `([a-z_/]+)` \|", PAGE, re.MULTILINE):
        module = room.replace("/", ".")
        covered = module in named or f"{module}." in named
        assert covered or module.rpartition(".")[0] in named, module


def test_the_walk_leads_through_files_that_are_there_in_both_texts() -> None:
    walk = PAGE.split("## One walk")[1].split("\n## ")[0]
    links = re.findall(r"\[`([^`]+)`\]\(\.\./([^)]+)\)", walk)
    assert len(links) >= 12
    for text, target in links:
        assert (ROOT / target).is_file(), target
        assert target.endswith(text), (text, target)


def test_no_file_is_longer_than_500_lines() -> None:
    """One that grows beyond has two things in it; what others wrote (`vendor`) is as it is."""
    folders = ("bench", "chain", "invoice_service", "scripts", "static", "tests", "workers")
    long = [
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".js", ".mjs", ".css", ".html"}
        and "vendor" not in path.parts
        and path.read_bytes().count(b"\n") > 500
    ]
    assert long == []
