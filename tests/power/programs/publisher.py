"""Replace a small file again and again, and tell a socket after each.

Usage: publisher FOLDER COUNT HOW, where HOW is "careful" or names what is left out:
"no-file-sync", "no-folder-sync" or "in-place".
"""

import os
import socket
import sys
from pathlib import Path


def main(folder: str, count: str, how: str) -> None:
    """Write ``current`` ``count`` times; the socket hears the number that now stands there."""
    told, _listener = socket.socketpair()
    target = Path(folder) / "current"
    for n in range(1, int(count) + 1):
        data = b"%08d" % n * 300
        if how == "in-place":
            _write(target, data, sync=True)
        else:
            aside = target.with_suffix(".new")
            _write(aside, data, sync=how != "no-file-sync")
            aside.replace(target)
        if how != "no-folder-sync":
            _sync_folder(folder)
        told.send(b"%d" % n)


def _write(path: Path, data: bytes, *, sync: bool) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())


def _sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(fd)
    os.close(fd)


if __name__ == "__main__":
    main(*sys.argv[1:])
