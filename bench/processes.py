"""What each process of the tree under measurement takes: memory, and processor time."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# In this order: the worker's own arguments also name it.
_MARKS = (
    ("empty application", "empty"),
    ("issuing process", "issuer"),
    ("web", "web"),
    ("beat", "beat"),
    ("worker", "worker"),
    ("supervisord", "supervisord"),
)
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One process: memory in MiB, processor time since it began in seconds.

    RSS counts every resident page, PSS a page shared by n processes as 1/n.
    """

    id: int
    name: str
    rss: float
    pss: float
    cpu: float


def tree() -> list[Process]:
    """Measure every living process below this one, by name."""
    found = [process for child in _descendants(os.getpid()) if (process := _measure(child))]
    return sorted(found, key=lambda process: process.name)


def cpu_spent(before: list[Process], after: list[Process]) -> dict[str, float]:
    """Return the processor seconds that each kind of process spent between two measurements."""
    earlier = {process.id: process.cpu for process in before}
    spent: dict[str, float] = {}
    for process in after:
        spent[process.name] = (
            spent.get(process.name, 0.0) + process.cpu - earlier.get(process.id, 0)
        )
    return spent


class Spent:
    """Processor seconds of all processes seen so far: of one that has ended, as last seen."""

    def __init__(self) -> None:
        self._last: dict[int, float] = {}

    def seen(self, processes: Iterable[Process]) -> float:
        """Take a look into account; return what all have spent."""
        self._last |= {process.id: process.cpu for process in processes}
        return sum(self._last.values())


def machine_cpu() -> float:
    """Return the processor seconds that everybody on this machine has spent since it started."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _waiting, interrupts, soft = (int(field) for field in fields[:7])
    return (user + nice + system + interrupts + soft) / _TICK


def own_cpu() -> float:
    """Return the processor seconds of this process and of all its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _descendants(parent: int) -> list[int]:
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


def _measure(process: int) -> Process | None:
    folder = Path("/proc") / str(process)
    try:
        command = (folder / "cmdline").read_bytes().split(b"\0")
        rollup = (folder / "smaps_rollup").read_text().splitlines()
        times = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in rollup[1:]}
    cpu = (int(times[11]) + int(times[12])) / _TICK
    return Process(process, _role(command), sizes["Rss"] / 1024, sizes["Pss"] / 1024, cpu)


def _role(command: list[bytes]) -> str:
    """Name a process of ours by what stands on its command line."""
    words = [word.decode(errors="replace") for word in command if word]
    for name, mark in _MARKS:
        if any(word == mark or word.endswith(f".{mark}") for word in words):
            return name
    return words[0].rpartition("/")[2] if words else "?"
