"""Copy an instance while it runs, so that the copy can be restored.

What is copied agrees with itself: it is what was there at one moment. Both databases are read from
snapshots that are opened while no worker publishes (they wait for the lock that they share among
themselves), the log's before the invoices': a log must not name invoices that the copy lacks, while
invoices that its log lacks are simply pending. Under the lock only the checkpoint and the last
tiles are copied, which takes milliseconds; tiles that are full never change, and are copied after
it. Keys are not copied: keep them apart. Needs nothing but Python (``scripts/backup.py``).
"""

import errno
import fcntl
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

WIDTH = 256  # of a tile, in hashes or entries
TRIES = 100
LOCK_SECONDS = 120.0
ERASED = "erased.list"
HELP = "help"
ADMISSION = "admission"
FAULTS = (OSError, ValueError, IndexError, sqlite3.Error, shutil.Error)


class Moment:
    """The instance ``source`` at one moment, as the copy in ``target`` will have it."""

    def __init__(self, source: Path, target: Path, opened: ExitStack) -> None:
        """Open the snapshots, and copy what the next publication may change."""
        self.source, self.target = source, target
        with nobody_publishes(source / "log"):
            self.log, self.invoices = self._snapshots(opened)
            query = "SELECT coalesce(max(size), 0) FROM checkpoints"
            self.signed: int = self.log.execute(query).fetchone()[0]
            checkpoint = (source / "log/checkpoint").read_bytes()
            self._copy_partial_tiles(int(checkpoint.split(b"\n")[1]))
        (target / "log/checkpoint").write_bytes(checkpoint)

    def copy_the_rest(self) -> None:
        """Copy what stays as it is from now on."""
        copy_database(self.log, self.target / "log.db")
        copy_database(self.invoices, self.target / "invoices.db")
        for level, count in levels(self.signed):
            for number in range(count):
                self._copy(tile(level, number))

    def _snapshots(self, opened: ExitStack) -> tuple[sqlite3.Connection, sqlite3.Connection]:
        """Log, then invoices, whose totals must not be of blocks that this log lacks."""
        for _ in range(TRIES):
            with ExitStack() as both:
                log = both.enter_context(snapshot(self.source / "log.db"))
                (height,) = log.execute("SELECT coalesce(max(height), 0) FROM blocks").fetchone()
                invoices = both.enter_context(snapshot(self.source / "invoices.db"))
                query = "SELECT coalesce(max(height), 0) FROM blocks_totalled"
                (totalled,) = invoices.execute(query).fetchone()
                if totalled <= height:
                    opened.push(both.pop_all())
                    return log, invoices
        raise OSError("totals are added up faster than they can be copied: try again")

    def _copy_partial_tiles(self, published: int) -> None:
        """Those at the end of the published log, up to the end of what is signed."""
        ends = dict(levels(self.signed))
        begins = dict(levels(min(published, self.signed)))
        for level, end in ends.items():
            for number in range(begins.get(level, 0), end + 1):
                folder = self.source / f"{tile(level, number)}.p"
                if folder.is_symlink() or not folder.is_dir():
                    continue
                for file in sorted(folder.iterdir()):
                    # What starts with a dot is a file that somebody was killed in writing.
                    if not file.name.startswith("."):
                        _copy_tile(file, self.target / file.relative_to(self.source))

    def _copy(self, name: str) -> None:
        _copy_tile(self.source / name, self.target / name)


def back_up(source: Path, target: Path) -> None:
    """Copy ``source`` into ``target``, which must not exist, nor be within it.

    Raises OSError, ValueError, or sqlite3.Error.
    """
    for name in ("log.db", "invoices.db", "log/checkpoint"):
        if not (source / name).is_file():
            raise FileNotFoundError(f"{source} holds no whole instance: {name} is missing")
    target = target.resolve()  # `.` has no name of its own
    if target.is_relative_to(source.resolve()):
        raise ValueError(f"{target} is within the instance, and would be lost with it")
    aside = target.with_name(f"{target.name}.part")
    if target.exists() or aside.exists():
        raise FileExistsError(f"{target} (or {aside}) exists already")
    (aside / "log").mkdir(parents=True)
    aside.chmod(0o700)
    with ExitStack() as opened:
        moment = Moment(source, aside, opened)
        moment.copy_the_rest()
        copy_papers(source / ADMISSION, aside / ADMISSION, moment.invoices)
    copy_reports(source / HELP, aside / HELP)
    if (source / ERASED).is_file():
        shutil.copy2(source / ERASED, aside / ERASED)
    for folder, _, files in os.walk(aside):
        for name in files:
            sync(Path(folder, name))
        sync(Path(folder))
    aside.rename(target)  # a backup that was cut off never has the final name
    sync(target.parent)


def copy_reports(source: Path, target: Path) -> None:
    """Copy what was reported, if anything was, and the pictures that its database names."""
    if not (source / "help.db").is_file():
        return
    (target / "pictures").mkdir(parents=True)
    for folder in (target, target / "pictures"):
        folder.chmod(0o700)
    with snapshot(source / "help.db") as reports:
        copy_database(reports, target / "help.db")
        names = reports.execute("SELECT report, number FROM pictures").fetchall()
    for name in names:
        picture = f"pictures/{name[0]}-{name[1]}.jpg"
        _copy_plain(source / picture, target / picture)  # unless it made room for another


def copy_papers(source: Path, target: Path, invoices: sqlite3.Connection) -> None:
    """Copy the pages of applicants' papers that the database names; of an older one, none."""
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'application_papers'"
    if not invoices.execute(query).fetchone()[0]:
        return
    names = invoices.execute("SELECT name FROM application_papers").fetchall()
    if names:
        target.mkdir(mode=0o700)
    for (name,) in names:
        _copy_plain(source / f"{name}.jpg", target / f"{name}.jpg")


def _copy_tile(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _copy_file(source, target)
    except FileNotFoundError:
        how = "`fapiao anchor` rebuilds it from log.db"
        raise FileNotFoundError(f"{source} is missing: {how}") from None


def _copy_plain(source: Path, target: Path) -> None:
    """Copy a file, unless it was erased a moment ago."""
    with suppress(FileNotFoundError):
        _copy_file(source, target)


def _copy_file(source: Path, target: Path) -> None:
    """Copy a file; a link is none: it could lead to a key, which no backup has."""
    if not stat.S_ISREG(os.lstat(source).st_mode):
        raise FileNotFoundError(errno.ENOENT, "is no file", source)
    shutil.copy2(source, target, follow_symlinks=False)


@contextmanager
def nobody_publishes(folder: Path) -> Iterator[None]:
    """Hold the lock under which workers publish; TimeoutError when it is not to be had."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        give_up = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise TimeoutError(f"a program has held the lock of {folder}") from None
                time.sleep(0.01)
        yield
    finally:
        os.close(handle)


@contextmanager
def snapshot(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees the database as it is now, whatever is written meanwhile."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=30)
    with closing(connection):
        connection.isolation_level = None
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # here it begins
        yield connection


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Copy a snapshot, and check the copy."""
    with closing(sqlite3.connect(target)) as new:
        source.backup(new)  # within the transaction that is open
        (answer,) = new.execute("PRAGMA quick_check").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(f"{target.name}: {answer}")
    target.chmod(0o600)


def levels(size: int) -> Iterator[tuple[str, int]]:
    """Each level of tiles of a log of ``size``, with the number of its full tiles."""
    yield "entries", size // WIDTH
    level = 0
    while size:
        size //= WIDTH
        yield str(level), size
        level += 1


def tile(level: str, number: int) -> str:
    """Where a full tile is, as tlog-tiles says: 1234067 is x001/x234/067."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    return f"log/tile/{level}/{'/'.join(reversed(groups))}"


def sync(path: Path) -> None:
    """Have the disk keep a file or a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
