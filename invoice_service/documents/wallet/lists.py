"""Status lists as files: made by the worker from the published log, given out as they are.

``<number>.bits`` has what stands in a list, ``<number>.jwt`` that signed, ``state.json`` how far
the log was read. All of it comes from the log, and is made anew where any of it is missing.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

import msgspec

from chain.block import Row
from chain.durable import make_folder, write_file, write_files
from chain.entry import AnchorEntry, parse_entry
from chain.errors import NotFoundError
from chain.log.turns import take
from chain.signing.es256 import WalletSigner
from invoice_service.documents.wallet.statuslist import (
    LIFE,
    SIZE,
    AsOf,
    Place,
    is_taken_back,
    make_list,
)

AT_ONCE: Final = 100_000
"""Entries of the log that are read in one step."""

_STATE: Final = "state.json"
_REVERSES: Final = b'"reverses"'


class StatusRows(Protocol):
    """What is read of the log's database."""

    def rows(self, first: int, end: int) -> Iterator[Row]:
        """Stored rows ``first`` to ``end - 1``."""
        ...

    def find(self, key: bytes) -> int | None:
        """The index of the entry with that key."""
        ...


class _State(msgspec.Struct, frozen=True):
    """So many entries were read; when each list was signed, by which key, under which address."""

    size: int = 0
    signed: tuple[int, ...] = ()
    key: str = ""
    issuer: str = ""


_read_state: Final = msgspec.json.Decoder(_State).decode


class StatusLists:
    """Keeps them; ``signer`` raises NotFoundError while no key signs for wallets."""

    def __init__(
        self,
        folder: Path,
        rows: StatusRows,
        published: Callable[[], int],
        signer: Callable[[], WalletSigner],
        issuer: str,
    ) -> None:
        """``published`` gives how many entries the published log has."""
        self._folder, self._rows, self._published = folder, rows, published
        self._signer, self._issuer = signer, issuer

    def step(self, now: int) -> int:
        """Bring them up to date at ``now`` (unix seconds); how many were signed.

        Of a long log, a step reads a part, and the lists are signed once all of it was read: one
        that lacks what is further on would say that it stands. Raises UnavailableError.
        """
        try:
            signer = self._signer()
        except NotFoundError:
            return 0
        with self._alone():
            return self._step(signer, now)

    def _step(self, signer: WalletSigner, now: int) -> int:
        published = self._published()
        state = self._state(published)
        end = min(published, state.size + AT_ONCE)
        touched = self._read(state.size, end)
        if end < published:
            self._write_state(_State(end))  # all of them are signed anew at the end
            return 0
        # One ahead: a credential of the log's next entries finds its list.
        last = Place.of(end).number + 1
        key = signer.verifier.key_id.hex()
        same = (state.key, state.issuer) == (key, self._issuer)
        signed = [*(state.signed if same else ()), *[0] * (last + 1)][: last + 1]
        old = {number for number, at in enumerate(signed) if not now - LIFE // 2 < at <= now}
        wanted = sorted(touched | old)
        for number in wanted:
            bits = self._bits(number)
            text = make_list(bits, self._issuer, number, AsOf(now, end), signer)
            write_files([(self._path(number, "bits"), bits), self._signed(number, text)])
            signed[number] = now
        if wanted or end != state.size:
            # A crash before this: what was read is read again, and says the same.
            self._write_state(_State(end, tuple(signed), key, self._issuer))
        return len(wanted)

    def _read(self, first: int, end: int) -> set[int]:
        """Take in what these entries of the log take back; the numbers of lists that changed."""
        changed: dict[int, bytearray] = {}
        for row in self._rows.rows(first, end):
            if _REVERSES not in row.entry:
                continue
            entry = parse_entry(row.entry)
            target = entry.reversed if isinstance(entry, AnchorEntry) else None
            at = None if target is None else self._rows.find(target[0])
            if target is None or at is None:
                continue
            place = Place.of(at)
            bits = changed.get(place.number) or bytearray(self._bits(place.number))
            if is_taken_back(bits, place.at, target[1]):
                changed[place.number] = bits
        write_files((self._path(number, "bits"), bytes(bits)) for number, bits in changed.items())
        return set(changed)

    def _state(self, published: int) -> _State:
        """How far it is; nowhere where a file is missing, or the log is an older copy."""
        with suppress(OSError, msgspec.MsgspecError):
            state = _read_state((self._folder / _STATE).read_bytes())
            kept = [self._path(number, "bits") for number in range(len(state.signed))]
            if state.size <= published and all(path.stat().st_size == SIZE for path in kept):
                return state
        # A crash here leaves a state without its files, which is no state.
        for path in self._folder.glob("*.bits"):
            path.unlink(missing_ok=True)
        (self._folder / _STATE).unlink(missing_ok=True)
        return _State()

    def _write_state(self, state: _State) -> None:
        write_file(self._folder / _STATE, msgspec.json.encode(state))

    def _bits(self, number: int) -> bytes:
        """What stands in a list; nothing where nothing was taken back yet."""
        try:
            return self._path(number, "bits").read_bytes()
        except FileNotFoundError:
            return bytes(SIZE)

    def _signed(self, number: int, text: str) -> tuple[Path, bytes]:
        return self._path(number, "jwt"), text.encode()

    def _path(self, number: int, kind: str) -> Path:
        return self._folder / f"{number}.{kind}"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        make_folder(self._folder)
        handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            take(handle, self._folder, code="database_busy")
            yield
        finally:
            os.close(handle)


def find_list(folder: Path, number: int) -> str:
    """The signed list; NotFoundError ``status_list_unknown``."""
    try:
        return (folder / f"{number}.jwt").read_text(encoding="ascii")
    except FileNotFoundError:
        raise NotFoundError("status_list_unknown", f"there is no status list {number}") from None
