"""What help keeps, apart from the invoices: a small database, and a folder of pictures."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from chain.errors import UnavailableError
from invoice_service.config import Config
from invoice_service.storage.help.pictures import Pictures
from invoice_service.storage.help.reports import Bounds, ReportRows
from invoice_service.storage.help.scans import ScanRows
from invoice_service.storage.help.tables import open_tables
from invoice_service.storage.sqlite.connection import Connections

__all__ = ["Bounds", "HelpStore", "help_store"]

TIDY_EVERY: Final = 3600  # seconds


def _nobody(_: bytes) -> None:
    """There is no list."""


class HelpStore(ReportRows, ScanRows):
    """Safe for threads and processes at once, and after a fork; made when first used.

    Every method raises UnavailableError: ``database_busy``, ``disk_full``, ``database_damaged``,
    ``database_unavailable``, ``write_failed``.
    """

    def __init__(
        self, folder: Path, bounds: Bounds, listed: Callable[[bytes], object] = _nobody
    ) -> None:
        """``listed`` is told the mark of each report before anything of it is erased."""
        self._folder, self.listed = folder, listed
        self._guard = threading.Lock()
        self._found: Connections | None = None
        self._tidied = -TIDY_EVERY
        self.pictures = Pictures(folder / "pictures")
        self.bounds = bounds

    @property
    def connections(self) -> Connections:
        """The database, once it is there."""
        with self._guard:
            if self._found is None:
                self._found = open_tables(self._folder)
            return self._found

    def tidy(self, now: int) -> None:
        """Let go what was kept for long enough, at ``now`` (unix seconds); now and then will do."""
        if not 0 <= now - self._tidied < TIDY_EVERY and self._folder.is_dir():
            self._tidied = now
            with suppress(UnavailableError):  # tried again; nobody waits for it
                self.tidy_reports(now)
                self.tidy_scans(now)

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._guard:
            if self._found is not None:
                self._found.close()


def help_store(config: Config, listed: Callable[[bytes], object] = _nobody) -> HelpStore:
    """That of an instance."""
    kept = config.reports
    bounds = Bounds(kept.most, kept.picture_bytes, kept.days, kept.contact_days, kept.scan_days)
    return HelpStore(config.help_dir, bounds, listed)
