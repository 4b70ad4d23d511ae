#!/usr/bin/env python3
"""Copy an instance while it runs, so that the copy can be restored: backup.py DATA_DIR NEW_FOLDER.

What is copied agrees with itself. The log is copied with its tiles while no worker publishes (they
wait for the lock that they share among themselves), and before the invoices: a log must not name
invoices that the copy lacks, while invoices that its log lacks are simply pending. Keys are not
copied: keep them apart. Needs nothing but Python.
"""

import fcntl
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


def back_up(source: Path, target: Path) -> None:
    """Copy ``source`` into ``target``, which must not exist; raises OSError or sqlite3.Error."""
    if not (source / "log.db").is_file():
        raise FileNotFoundError(f"{source} holds no instance")
    aside = target.with_name(f"{target.name}.part")
    if target.exists() or aside.exists():
        raise FileExistsError(f"{target} (or {aside}) exists already")
    aside.mkdir(parents=True)
    with nobody_publishes(source / "log"):
        copy_database(source / "log.db", aside / "log.db")
        # What starts with a dot is a file that somebody was killed in writing.
        shutil.copytree(source / "log", aside / "log", ignore=shutil.ignore_patterns(".*"))
    copy_database(source / "invoices.db", aside / "invoices.db")
    for folder, _, files in os.walk(aside):
        for name in files:
            sync(Path(folder, name))
        sync(Path(folder))
    aside.rename(target)  # a backup that was cut off never has the final name
    sync(target.parent)


@contextmanager
def nobody_publishes(folder: Path) -> Iterator[None]:
    """Hold the lock under which workers publish; what is issued meanwhile waits for the log."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a database in use, checked."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        (answer,) = new.execute("PRAGMA quick_check").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(f"{source}: {answer}")


def sync(path: Path) -> None:
    """Have the disk keep a file or a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def main(arguments: list[str]) -> int:
    """Back up; exit status 1 with one line when it failed."""
    if len(arguments) != 2:
        print("usage: backup.py DATA_DIR NEW_FOLDER", file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    try:
        back_up(source, target)
    except (OSError, sqlite3.Error, shutil.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"copied {source} to {target}; its keys are not in it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
