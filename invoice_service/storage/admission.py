"""Papers that applicants send: files under names that tell nothing, in a folder of their own.

They are written before the transaction that names them: nobody who issues waits for them.
"""

import re
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from chain.durable import make_folder, write_file
from chain.errors import UnavailableError
from invoice_service.config import Config
from invoice_service.services.admission.office import Admission, open_admission
from invoice_service.services.admission.ports import Listed, Room
from invoice_service.services.kept_files import read_kept
from invoice_service.storage.sqlite import SqliteStore
from invoice_service.storage.sqlite.tries import TRIES, SharedCounts

DAY: Final = 86_400
TIDY_EVERY: Final = 3600  # seconds
OLD: Final = 3600.0
"""Seconds after which a file that no row names is nobody's any more."""

_NAME_BYTES: Final = 16
_NAME: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_ENDING: Final = ".jpg"


class Papers:
    """Safe for threads and processes at once."""

    def __init__(self, folder: Path, randbytes: Callable[[int], bytes]) -> None:
        self._folder, self._randbytes = folder, randbytes

    def write(self, data: bytes) -> str:
        """Keep one, durably; returns its name. UnavailableError ``disk_full``, ``write_failed``."""
        make_folder(self._folder)
        self._folder.chmod(0o700)
        name = self._randbytes(_NAME_BYTES).hex()
        # A crash here leaves a file without a row, which ``keep_only`` takes away.
        write_file(self._folder / f"{name}{_ENDING}", data, mode=0o600)
        return name

    def read(self, name: str) -> bytes | None:
        """One of them; None where it is gone. UnavailableError ``data_unreadable``."""
        if not _NAME.fullmatch(name):
            return None
        return read_kept(self._folder / f"{name}{_ENDING}", "a paper")

    def remove(self, names: Iterable[str]) -> None:
        """Take these away. What cannot be, or is back after a power cut, ``keep_only`` takes."""
        for name in names:
            with suppress(OSError):
                (self._folder / f"{name}{_ENDING}").unlink(missing_ok=True)

    def keep_only(self, names: Collection[str]) -> None:
        """Take away all others that are old: a young one may be about to be named."""
        if not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if path.name.removesuffix(_ENDING) in names:
                continue
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > OLD:
                    path.unlink()


class AdmissionStore:
    """All that admission keeps of an instance."""

    def __init__(
        self,
        config: Config,
        store: SqliteStore,
        clock: Callable[[], int],
        randbytes: Callable[[int], bytes],
        listed: Listed,
    ) -> None:
        """``clock`` gives unix seconds; ``randbytes`` must be fit for secrets; ``listed`` as
        ``Applications`` has it.
        """
        self.papers = Papers(config.admission_dir, randbytes)
        self._store, self._days, self._tidied = store, config.admission.days, -TIDY_EVERY
        counts = SharedCounts(config.run_dir / TRIES)
        kept = config.admission
        room = Room(open=kept.most, paper_bytes=kept.paper_bytes)
        offered = kept.invitation_days * DAY
        self.desks: Admission = open_admission(
            room, kept.notice_days, offered, store, self.papers, counts, clock, randbytes, listed
        )

    def tidy(self, now: int) -> None:
        """Let go what was kept for long enough, at ``now`` (unix seconds); now and then will do."""
        if 0 <= now - self._tidied < TIDY_EVERY:
            return
        self._tidied = now
        with suppress(UnavailableError):  # tried again; nobody waits for it
            self._store.forget_applications(now - self._days * DAY)
            self.papers.keep_only(self._store.paper_names())
