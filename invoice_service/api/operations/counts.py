"""Request counters that several web processes keep, each in a small file that all can read.

A process takes over the file of one that has ended (the kernel frees a dead owner's lock), so
there are never more files than there were processes at once, and no sum ever goes down.
"""

import fcntl
import mmap
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chain.errors import UnavailableError
from chain.hashing import DIGEST_SIZE, sha256
from chain.log.turns import take

SLOT = 8  # bytes: one unsigned 64-bit number in the machine's own order


class Counts:
    """Numbers by name; adding costs well under a microsecond, reading sums all processes' files."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        """Counts without a file (disk full, folder read-only) are this process's own."""
        self._places = {name: place for place, name in enumerate(names)}
        self._stamp = sha256("\n".join(names).encode())  # another release has other slots
        self._folder = folder
        self._size = DIGEST_SIZE + SLOT * len(names)
        self._guard = threading.Lock()
        self._map = self._open()
        self._slots = memoryview(self._map)[DIGEST_SIZE:].cast("Q")

    def place(self, name: str) -> int:
        """Where a name's number stands, for ``add``."""
        return self._places[name]

    def add(self, amounts: Iterable[tuple[int, int]]) -> None:
        """Add each (place, amount)."""
        with self._guard:
            for place, amount in amounts:
                self._slots[place] += amount

    def put(self, place: int, number: int) -> None:
        """Replace this process's number, of which ``most`` finds the largest."""
        with self._guard:
            self._slots[place] = number

    def read(self) -> dict[str, int]:
        """Every name's sum over all processes, those that have ended included."""
        return self._over_all(sum)

    def most(self) -> dict[str, int]:
        """Every name's largest number of all processes."""
        return self._over_all(max)

    def _over_all(self, together: Callable[[tuple[int, ...]], int]) -> dict[str, int]:
        numbers = zip(*self._all(), strict=True)
        return {name: together(of) for name, of in zip(self._places, numbers, strict=True)}

    def _all(self) -> Iterator[memoryview]:
        found = False
        for path in sorted(self._folder.glob("*.counts")):
            try:
                data = path.read_bytes()
            except OSError:
                continue  # taken away by a newer release this instant
            if len(data) == self._size and data.startswith(self._stamp):
                found = True
                yield memoryview(data)[DIGEST_SIZE:].cast("Q")
        if not found:
            yield self._slots

    def _open(self) -> mmap.mmap:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._alone():
                descriptor = self._take_over() or self._create()
            return mmap.mmap(descriptor, self._size)
        except (OSError, UnavailableError):
            return mmap.mmap(-1, self._size)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process opens at a time: it would take another's new file for a dead one's."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            take(folder, self._folder)  # for as long as a few files take to open
            yield
        finally:
            os.close(folder)

    def _take_over(self) -> int | None:
        """An ended process's file, locked; files of another layout are cleared away."""
        for path in self._folder.glob("*.counts"):
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                continue  # somebody has tidied up this instant
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            if os.pread(descriptor, self._size + 1, 0)[:DIGEST_SIZE] == self._stamp:
                return descriptor
            path.unlink(missing_ok=True)
            os.close(descriptor)
        return None

    def _create(self) -> int:
        path = self._folder / f"{os.getpid()}-{os.urandom(4).hex()}.counts"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Space is reserved now: a full disk met through a memory map would kill the process.
        os.posix_fallocate(descriptor, 0, self._size)
        os.pwrite(descriptor, self._stamp, 0)
        return descriptor
