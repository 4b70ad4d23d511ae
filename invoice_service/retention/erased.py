"""The list of the erased (ADR 0047): commitments alone, so that no older copy brings anybody back.

A copy of ``invoices.db`` from before an erasure has the key again. The list stands beside the
databases, and beside the backups where the settings say where those are; whoever opens an instance
holds the two against each other, and erases anew whom the list names. A commitment is salted: who
has the list learns of nobody.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chain.durable import write_file
from chain.errors import UnavailableError
from chain.hashing import Digest, sha256, to_digest
from chain.log.turns import take
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.retention.ports import ErasedRows

HEAD: Final = b"fapiao/erased@v1\n"
NAME: Final = "erased.list"
PRIVATE: Final = 0o600
_LINE: Final = re.compile(rb"[0-9a-f]{64}", re.ASCII)

Forget = Callable[[StoredInvoice], bool]
"""Forgets the person of a sale beside the store; False where it has to be tried again."""

EraseAgain = Callable[[Digest], object]
"""Erases the person of a document."""


class ErasedList:
    """The list in its places; the first one is the instance's own."""

    def __init__(self, places: Collection[Path], lock: Path) -> None:
        self._places, self._lock = tuple(places), lock

    def mark(self) -> Digest:
        """Of what stands in all places now."""
        return sha256(b"".join(sha256(data) for data in self._found().values()))

    def groups(self) -> frozenset[bytes]:
        """All that are named in any place. UnavailableError ``erased_list_unusable``."""
        return frozenset().union(*(_read(*found) for found in self._found().items()))

    def add(self, groups: Collection[bytes]) -> Digest:
        """Name these in all places, on disk when it returns; the mark from now on.

        A place beside the backups that is away is brought up to date when it is there again.
        """
        with self._alone():
            named = self.groups() | frozenset(groups)
            data = HEAD + b"".join(b"%s\n" % group.hex().encode() for group in sorted(named))
            for number, place in enumerate(self._places):
                if number and not place.parent.is_dir():
                    continue
                if not named and not place.exists():
                    continue
                _write(place, data, needed=not number)
            return self.mark()

    def _found(self) -> dict[Path, bytes]:
        """What stands in each place; of one beside the backups that is away, nothing."""
        return {
            place: _bytes(place, needed=not number) for number, place in enumerate(self._places)
        }

    @contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            take(handle, self._lock, code="database_busy")
            yield
        finally:
            os.close(handle)


def reach_all(store: ErasedRows, erased: ErasedList, forget: Forget) -> None:
    """Have every erasure reach the list, and what lies beside the store.

    A crash anywhere: whoever opens the instance next, or the worker, does it again.
    """
    for seq in store.waiting_erasures():
        blue = store.invoice_at(seq)
        if blue is None:
            continue
        documents = [blue, *store.returns_of(seq)]
        agreed = store.erased_mark() == erased.mark()
        mark = erased.add({one.erased for one in documents if one.erased})
        if agreed:  # else others stand in it whom the next start has to erase here
            store.note_erased_mark(mark)
        if forget(blue):
            store.erasure_reached_all(seq)


def agree(store: ErasedRows, erased: ErasedList, erase_again: EraseAgain) -> int:
    """Erase here whom the list names, and name in it who is erased here; how many came back.

    Costs two looks while neither has changed. Raises UnavailableError.
    """
    if store.erased_mark() == erased.mark():
        return 0
    back = store.people_in(erased.groups())
    for digest in back:
        erase_again(to_digest(digest))  # with another document of its sale it may be so already
    store.note_erased_mark(erased.add(store.erased_groups()))
    return len(back)


def _write(place: Path, data: bytes, *, needed: bool) -> None:
    try:
        write_file(place, data, mode=PRIVATE)
    except UnavailableError as error:
        if needed:
            raise error if error.code == "disk_full" else _unusable(place, error.detail) from None


def _bytes(place: Path, *, needed: bool) -> bytes:
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        if needed:
            raise _unusable(place, error.strerror or str(error)) from None
        return b""


def _read(place: Path, data: bytes) -> frozenset[bytes]:
    if not data:
        return frozenset()
    if not data.startswith(HEAD):
        raise _unusable(place, "it is no list of the erased")
    lines = data[len(HEAD) :].split(b"\n")
    if lines.pop() or not all(_LINE.fullmatch(line) for line in lines):
        raise _unusable(place, "a line is torn: put a whole copy in its place")
    return frozenset(bytes.fromhex(line.decode()) for line in lines)


def _unusable(place: Path, why: str) -> UnavailableError:
    return UnavailableError("erased_list_unusable", f"{place}: {why}")
