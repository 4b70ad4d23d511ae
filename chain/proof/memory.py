"""What a verifier remembers from one proof to the next: the checkpoints that it was shown.

A log that shows one history to some and another to others is found out by whoever holds two of its
checkpoints against each other. Of one size that needs nothing else; of two sizes, the log itself
(``chain.audit.continuity``). The file is JSON: ``{"version":1,"notes":[note, …]}``.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from chain.durable import make_folder, write_file
from chain.errors import MalformedError, Problem, UnavailableError, VerificationError
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.keys import TrustedKeys

VERSION: Final = 1
MAX_NOTES: Final = 256
"""Of all logs together. Those that were held against the log itself are one each; the oldest go."""

MAX_MEMORY_BYTES: Final = 1 << 24
_PLACE: Final = Path("fapiao", "checkpoints.json")

Seen: TypeAlias = tuple[Checkpoint, bytes]
"""A checkpoint, and its note."""


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered of one log; ``others`` tells of notes of its name by other keys."""

    seen: tuple[Seen, ...]
    others: bool

    def largest(self) -> int | None:
        """The size of the largest checkpoint that was seen."""
        return max((checkpoint.size for checkpoint, _ in self.seen), default=None)

    def against(self, new: Checkpoint) -> Seen | None:
        """One that cannot be true beside ``new``: of the same size, with another root."""
        return next((one for one in self.seen if _contradict(one[0], new)), None)


class ForkedError(VerificationError):
    """Code ``log_forked``: the log has signed ``notes`` that cannot both be true.

    ``evidence`` is the file that proves it to anyone, or nothing where it was not made.
    """

    def __init__(self, size: int, notes: tuple[bytes, bytes], evidence: bytes = b"") -> None:
        detail = f"the log has signed two histories that differ within the first {size} entries"
        super().__init__("log_forked", detail, size=size)
        self.notes = notes
        self.evidence = evidence


@dataclass(frozen=True, slots=True)
class Continued:
    """How a checkpoint stands to what was seen before: ``largest`` is its size, None for nothing.

    ``compared`` says whether the log itself was asked, and has both; ``why`` if not. ``unkept``
    says why this one is not remembered, if so: the next is not held against it.
    """

    largest: int | None
    others: bool
    compared: bool
    why: str = ""
    unkept: str = ""


Ask: TypeAlias = Callable[[Sequence[Seen]], Seen]
"""Asks the log for its newest checkpoint, which contains all those; errors as ``hold_against``."""


def hold_against(memory: "Memory", new: Seen, keys: TrustedKeys, ask: Ask | None) -> Continued:
    """Hold a verified checkpoint against what was seen of its log, and remember it.

    1. none of the same size has another root: else ForkedError;
    2. the log's newest tree, if it is asked, contains this one and all that were seen, and takes
       their place; whatever else is wrong with the log is told, and no verdict;
    3. without that this one is remembered beside the others, not in their place. What cannot be
       written changes no verdict, and is told.

    Raises MalformedError ``memory_damaged``; UnavailableError ``memory_unreadable``.
    """
    recalled = memory.recall(new[0].origin, keys)
    if (other := recalled.against(new[0])) is not None:
        raise ForkedError(new[0].size, (other[1], new[1]))
    newest, why, unkept = None, "the log was not asked", ""
    if ask is not None:
        try:
            newest = ask([*recalled.seen, new])
        except ForkedError:
            raise
        except Problem as problem:
            why = str(problem)
    try:
        memory.keep(newest or new, [*recalled.seen, new] if newest else ())
    except UnavailableError as problem:
        unkept = str(problem)
    compared = newest is not None
    return Continued(recalled.largest(), recalled.others, compared, "" if compared else why, unkept)


Prove: TypeAlias = Callable[[ForkedError], bytes]
"""Makes the evidence file of a fork, or nothing where that cannot be done."""


def remember(
    memory: "Memory", note: bytes, keys: TrustedKeys, ask: Ask | None, prove: Prove
) -> Continued:
    """``hold_against`` of a proof's checkpoint; a fork's evidence is put beside the memory.

    Where it lies is ``evidence`` in what the ForkedError tells; it is not there if nothing can be
    written, for the verdict is the same.
    """
    try:
        return hold_against(memory, (open_checkpoint(note, keys), note), keys, ask)
    except ForkedError as forked:
        path = memory.path.with_name(f"fork-{forked.extra['size']}.evidence.json")
        evidence = forked.evidence or prove(forked)
        with suppress(UnavailableError):
            if evidence:
                write_file(path, evidence)
                forked.extra["evidence"] = str(path)
        raise


def told(continued: Continued, size: int) -> list[str]:
    """What is said, in a line or two, of how a checkpoint of that size stands to the others."""
    largest = continued.largest
    if largest is None:
        lines = ["nothing of this log before"]
    else:
        older = ": this is older than what you have seen" if size < largest else ""
        held = "the log contains both" if continued.compared else f"not compared, {continued.why}"
        same = "" if size == largest and not continued.compared else f"; {held}"
        lines = [f"{largest} entries of this log before{older}{same}"]
    if continued.others:
        lines.append("and of its name by other keys, which is taken for another log")
    return lines


def default_place(environ: Mapping[str, str]) -> Path:
    """Where a person's programs keep what they remember: XDG_STATE_HOME, or ~/.local/state."""
    home = environ.get("XDG_STATE_HOME", "")
    state = Path(home) if home.startswith("/") else Path.home() / ".local" / "state"
    return state / _PLACE


class Memory:
    """The file. Several processes may use it at once."""

    def __init__(self, path: Path) -> None:
        """Remember in ``path``, which need not be there yet."""
        self.path: Final = path

    def recall(self, origin: str, keys: TrustedKeys) -> Recalled:
        """Return what was seen of the log; by other keys than these it is another log.

        Raises MalformedError ``memory_damaged``; UnavailableError ``memory_unreadable``.
        """
        named = [note for note in self._notes() if note.startswith(f"{origin}\n")]
        seen = tuple(found for note in named if (found := _opened(note.encode(), keys)) is not None)
        return Recalled(seen, len(seen) < len(named))

    def keep(self, new: Seen, instead_of: Sequence[Seen] = ()) -> None:
        """Remember ``new``, ``instead_of`` those that it is known to continue.

        Raises as ``recall``; UnavailableError ``disk_full``, ``write_failed``.
        """
        make_folder(self.path.parent)
        with _turn(self.path.parent):
            gone = {note.decode() for _, note in instead_of}
            notes = [note for note in self._notes() if note not in gone]
            if not any(note.partition("\n\n")[0] == _text(new) for note in notes):
                notes.append(new[1].decode())
            data = msgspec.json.encode(_Wire(VERSION, notes[-MAX_NOTES:]))
            write_file(self.path, data + b"\n", mode=0o600)

    def _notes(self) -> list[str]:
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_MEMORY_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            detail = f"cannot read {self.path}: {error.strerror}"
            raise UnavailableError("memory_unreadable", detail) from error
        damaged = f"{self.path} is damaged or too long: keep it, and name another file"
        if len(data) > MAX_MEMORY_BYTES:
            raise MalformedError("memory_damaged", damaged)
        try:
            return msgspec.json.decode(data, type=_Wire).notes
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise MalformedError("memory_damaged", damaged) from None


def _contradict(one: Checkpoint, other: Checkpoint) -> bool:
    return one.size == other.size and one.root != other.root


def _opened(note: bytes, keys: TrustedKeys) -> Seen | None:
    """The checkpoint, if one of these keys signed it and counts for it."""
    try:
        return open_checkpoint(note, keys), note
    except Problem:
        return None


def _text(seen: Seen) -> str:
    return seen[0].to_text().removesuffix("\n")


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Nobody else writes to the folder's file meanwhile; held for a moment only."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        detail = f"cannot write to {folder}: {error.strerror}"
        raise UnavailableError("write_failed", detail) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # freed when its holder dies
        yield
    finally:
        os.close(handle)
