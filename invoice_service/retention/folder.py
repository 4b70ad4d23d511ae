"""The folder of backups: each by the time at which it was made, the newest never deleted."""

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from chain.errors import UnavailableError
from chain.hashing import sha256
from invoice_service.retention.backup import ADMISSION, FAULTS, back_up

_NAMED: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)
_FORM: Final = "%Y%m%dT%H%M%SZ"
_PARTS: Final = ("invoices.db", "log.db")


class Backup(NamedTuple):
    """One that is whole; made at ``at``, unix seconds."""

    path: Path
    at: int


class Papers(NamedTuple):
    """Pages in a copy: as they were sent, not there any more, and of other bytes than were kept.

    Pages from before digests were kept count as whole.
    """

    whole: int
    gone: int
    damaged: int


def backups_in(folder: Path) -> list[Backup]:
    """The oldest first; whatever else lies there is left alone."""
    found = []
    for path in folder.glob("*Z"):
        if _NAMED.fullmatch(path.name) and all((path / part).is_file() for part in _PARTS):
            at = datetime.strptime(path.name, _FORM).replace(tzinfo=UTC)
            found.append(Backup(path, int(at.timestamp())))
    return sorted(found, key=lambda one: one.at)


def make_backup(source: Path, folder: Path, now: int) -> Backup:
    """Copy the instance into a new folder there; UnavailableError ``backup_failed``."""
    target = folder / datetime.fromtimestamp(now, UTC).strftime(_FORM)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        back_up(source, target)
    except FAULTS as error:
        raise UnavailableError("backup_failed", str(error)) from error
    return Backup(target, now)


def papers_in(backup: Backup) -> Papers:
    """Its pages of applicants' papers, held against their digests. UnavailableError
    ``backup_failed`` for a copy that cannot be read.
    """
    whole = gone = damaged = 0
    query = "SELECT name, coalesce(digest, x'') FROM application_papers"
    try:
        place = f"{(backup.path / 'invoices.db').absolute().as_uri()}?immutable=1"
        with closing(sqlite3.connect(place, uri=True)) as rows:
            for name, digest in rows.execute(query).fetchall():
                page = backup.path / ADMISSION / f"{name}.jpg"
                if not page.is_file():
                    gone += 1
                elif digest and sha256(page.read_bytes()) != digest:
                    damaged += 1
                else:
                    whole += 1
    except FAULTS as error:
        raise UnavailableError("backup_failed", str(error)) from error
    return Papers(whole, gone, damaged)


def drop_backup(backup: Backup) -> None:
    """Delete it; one that was cut off in between is no whole one any more."""
    for part in _PARTS:
        (backup.path / part).unlink(missing_ok=True)
    shutil.rmtree(backup.path, ignore_errors=True)
