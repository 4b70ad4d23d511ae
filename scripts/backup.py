#!/usr/bin/env python3
"""Copy an instance while it runs, so that the copy can be restored: backup.py DATA_DIR NEW_FOLDER.

The order matters. Each thing is copied before what it speaks of: the published checkpoint, the
log, the invoices. A copy taken so never has a checkpoint without its log, nor a log without its
invoices; what came in between is simply pending. Keys are not copied: keep them apart.
Needs nothing but Python.
"""

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

DATABASES = ("log.db", "invoices.db")  # in this order


def back_up(source: Path, target: Path) -> None:
    """Copy ``source`` into ``target``, which must not exist; raises OSError or sqlite3.Error."""
    if not (source / DATABASES[0]).is_file():
        raise FileNotFoundError(f"{source} holds no instance")
    aside = target.with_name(f"{target.name}.part")
    if target.exists() or aside.exists():
        raise FileExistsError(f"{target} (or {aside}) exists already")
    (aside / "log").mkdir(parents=True)
    shutil.copy2(source / "log" / "checkpoint", aside / "log" / "checkpoint")
    for name in DATABASES:
        copy_database(source / name, aside / name)
    # Tiles last: they may be ahead of the log, never behind it. A partial tile may go away
    # while we copy, because the full one has come.
    copy_tiles(source / "log", aside / "log")
    for folder, _, files in os.walk(aside):
        for name in files:
            sync(Path(folder, name))
        sync(Path(folder))
    aside.rename(target)  # a backup that was cut off never has the final name
    sync(target.parent)


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a database in use, checked."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        (answer,) = new.execute("PRAGMA quick_check").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(f"{source}: {answer}")


def copy_tiles(source: Path, target: Path) -> None:
    """The published tiles; one that goes away meanwhile is looked for again as its full tile."""
    for attempt in (1, 2, 3):
        try:
            shutil.copytree(source / "tile", target / "tile", dirs_exist_ok=True)
        except FileNotFoundError:
            return  # nothing has been published yet
        except shutil.Error:
            if attempt == 3:
                raise
        else:
            return


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
