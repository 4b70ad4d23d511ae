"""The memory of every process of a tree: resident (RSS) and its fair share of pages (PSS)."""

import os
from dataclasses import dataclass
from pathlib import Path


# In this order: the worker's own arguments also name it.
_MARKS = (
    ("issuing process", "issuer"),
    ("web", "granian"),
    ("beat", "beat"),
    ("worker", "worker"),
    ("supervisord", "supervisord"),
)


@dataclass(frozen=True, slots=True)
class Memory:
    """One process; both in MiB. PSS counts a page shared by n processes as 1/n."""

    name: str
    rss: float
    pss: float


def tree_memory() -> list[Memory]:
    """Measure every living process below this one, by name."""
    children = descendants(os.getpid())
    found = [memory for child in children if (memory := _measure(child)) is not None]
    return sorted(found, key=lambda memory: memory.name)


def descendants(parent: int) -> list[int]:
    """Return the ids of all processes below ``parent``."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [parent]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _measure(process: int) -> Memory | None:
    folder = Path("/proc") / str(process)
    try:
        command = (folder / "cmdline").read_bytes().split(b"\0")
        rollup = (folder / "smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in rollup[1:]}
    return Memory(_role(command), sizes["Rss"] / 1024, sizes["Pss"] / 1024)


def _role(command: list[bytes]) -> str:
    """Name a process of ours by what stands on its command line."""
    words = [word.decode(errors="replace") for word in command if word]
    for name, mark in _MARKS:
        if any(word == mark or word.endswith(f".{mark}") for word in words):
            return name
    return words[0].rpartition("/")[2] if words else "?"
