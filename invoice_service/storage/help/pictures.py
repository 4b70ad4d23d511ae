"""The pictures of reports: files that are named by report and number, and by nothing else."""

import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from chain.durable import write_file
from invoice_service.services.kept_files import read_kept

Name = tuple[int, int]
"""A report, and the number of its picture from 1."""

_FILE: Final = re.compile(r"([0-9]+)-([0-9]+)\.jpg", re.ASCII)


class Pictures:
    """Whoever calls this holds the database's lock for writing: rows and files change together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: Name, data: bytes) -> None:
        """Keep one, durably; UnavailableError ``disk_full``, ``write_failed``."""
        # A crash here leaves a file without a row, which the next ``keep_only`` takes away.
        write_file(self._path(name), data, mode=0o600)

    def read(self, name: Name) -> bytes | None:
        """One of them; None where it is gone. UnavailableError ``data_unreadable``."""
        return read_kept(self._path(name), "a picture")

    def keep_only(self, names: Collection[Name]) -> None:
        """Take away all others."""
        if not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            found = _FILE.fullmatch(path.name)
            if found is None or (int(found[1]), int(found[2])) not in names:
                with suppress(OSError):  # what cannot be removed now is tried again
                    path.unlink()

    def _path(self, name: Name) -> Path:
        return self._folder / f"{name[0]}-{name[1]}.jpg"
