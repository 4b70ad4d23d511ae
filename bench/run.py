"""One run of the bench: where it works, what it has found so far, and what failed in it."""

import statistics
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import Process
from bench.service import Site

LOG_LINES = 40
"""The last lines of a log that are kept when something fails beside it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed: its name, what was raised, and the ends of the logs that explain it."""

    step: str
    error: str
    logs: Mapping[str, str]


class Samples:
    """Figures by name, one in each round; what failed in a round has none in it."""

    def __init__(self) -> None:
        self.round = 0
        self._values: dict[str, dict[int, float]] = {}

    def add(self, name: str, value: float) -> None:
        """Note what this round has found."""
        self._values.setdefault(name, {})[self.round] = value

    def values(self, name: str, below: str = "") -> list[float]:
        """Return what the rounds found, each divided by what it found of ``below``, if given."""
        top = self._values.get(name, {})
        if not below:
            return list(top.values())
        bottom = self._values.get(below, {})
        return [value / bottom[at] for at, value in top.items() if bottom.get(at)]

    def median(self, name: str, below: str = "") -> float | None:
        """Return the median of ``values``; None when there is none."""
        values = self.values(name, below)
        return statistics.median(values) if values else None


@dataclass
class Run:
    """Where a run works, how long each measurement is, and what has come of it.

    ``size`` is in invoices of a simulated year. ``memory`` is of the processes after the first
    rush, ``proved`` a site of which every invoice is anchored.
    """

    folder: Path
    seconds: float
    size: int
    rounds: int = 1
    samples: Samples = field(default_factory=Samples)
    notes: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    memory: list[Process] = field(default_factory=list)
    proved: Site | None = None
    started: float = field(default_factory=time.perf_counter)

    def place(self, name: str) -> Path:
        """Return a new folder for one stage."""
        folder = self.folder / name
        folder.mkdir()
        return folder

    def say(self, what: str) -> None:
        """Tell a person who waits what is being measured."""
        elapsed = time.perf_counter() - self.started
        print(f"[{elapsed:5.0f} s] {what}", file=sys.stderr, flush=True)

    @contextmanager
    def step(self, what: str, logs: Path | None = None) -> Iterator[None]:
        """Measure something; when that fails, say so, keep the logs' ends, and let others go on.

        ``logs`` is the folder of the logs of those who are measured.
        """
        self.say(what)
        try:
            yield
        except Exception as error:  # noqa: BLE001 # whatever it was, the other steps still count
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
            self.failures.append(Failure(what, text, log_ends(logs)))
            self.say(f"FAILED: {what}: {text}")


def log_ends(folder: Path | None) -> dict[str, str]:
    """Return the last lines of every log in ``folder``."""
    if folder is None:
        return {}
    return {path.name: _end(path) for path in sorted(folder.glob("*.log")) if path.stat().st_size}


def _end(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES:])
