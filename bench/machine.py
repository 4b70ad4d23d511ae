"""Say what was measured on: the same table from another machine is another table."""

import os
import platform
import sqlite3
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("flask", "httptools", "pycryptodome", "celery", "sqlite-utils", "msgspec")


@dataclass(frozen=True, slots=True)
class Machine:
    """Processor, memory, file system, and the versions of what runs."""

    cores: int
    cpu: str
    memory_gib: float
    kernel: str
    file_system: str
    python: str
    sqlite: str
    packages: dict[str, str]


def describe(folder: Path) -> Machine:
    """Describe the machine; ``folder`` is where the measured instance keeps its files."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        cpu=_field(Path("/proc/cpuinfo"), "model name"),
        memory_gib=round(int(_field(Path("/proc/meminfo"), "MemTotal").split()[0]) / 2**20, 1),
        kernel=platform.release(),
        file_system=_file_system(folder),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        packages={name: version(name) for name in _PACKAGES},
    )


def _field(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "0"


def _file_system(folder: Path) -> str:
    """The kind of the file system that holds ``folder``: of the mount with the longest path."""
    found = ("", "unknown")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if folder.resolve().is_relative_to(mount) and len(mount) >= len(found[0]):
            found = mount, kind
    return found[1]
