"""Files of orders that people have sent: kept for a while in a folder, each merchant's apart.

What a merchant sends is known by its name and content, so that the same again is the same. The
file itself goes as soon as it has been read, its orders once they are issued; the result files
stay, one for each name, as beside ``fapiao issue``. Nothing here is needed to know what was issued.
"""

import fcntl
import os
import shutil
import time
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePath
from typing import IO, Any, Final, Literal

import msgspec

from chain.durable import make_folder, write_file
from chain.errors import ConflictError, MalformedError, NotFoundError
from chain.hashing import sha256, sha256_of_parts
from invoice_service.files.preview import Preview
from invoice_service.files.record import Record
from invoice_service.files.results import forget_columns

KEPT_SECONDS: Final = 7 * 86_400
"""For how long a file's state is kept, and its orders where they are not issued."""

RESULTS_BYTES: Final = 24 << 20
"""Of one name's result file, some fifty thousand orders: it is read whole."""

ALL_RESULTS_BYTES: Final = 512 << 20
"""Of all result files of a merchant."""

MOST_KEPT: Final = 40
"""Files of a merchant; with one more, the oldest is forgotten."""

LONGEST_NAME: Final = 120
_ID: Final = 32  # hex digits
PRIVATE: Final = 0o600
"""Buyers stand in it."""
_COPIED: Final = 1 << 20

Stage = Literal["reading", "refused", "ready", "issuing", "stopped", "cancelled", "done"]
MOVING: Final[frozenset[Stage]] = frozenset({"reading", "issuing"})
CAN_ISSUE: Final[frozenset[Stage]] = frozenset({"ready", "stopped", "cancelled"})


class About(msgspec.Struct, frozen=True):
    """What was sent, by whom and when (unix seconds); ``digest`` is that of its bytes, in hex."""

    id: str
    name: str
    digest: str
    at: int
    person: int


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far it is; ``done`` of ``orders``, by what became of them.

    ``code`` and the details say why it was refused, or has stopped.
    """

    stage: Stage
    at: int
    done: int = 0
    orders: int = 0
    issued: int = 0
    replayed: int = 0
    refused: int = 0
    before: int = 0
    code: str = ""
    detail: str = ""
    detail_zh: str = ""
    person: int = 0
    origin: str = ""
    """Who began to issue it, and from where."""


class Shelf:
    """The files of one merchant; whoever works on them holds its lock."""

    def __init__(self, folder: Path, merchant_id: int) -> None:
        self.merchant_id = merchant_id
        self._folder = folder / str(merchant_id)

    def receive(self, name: str, stream: IO[bytes], person: int, now: int) -> "Kept":
        """Keep a file that was sent, to be read.

        One that is under way already is left as it is. MalformedError ``file_name_invalid``.
        """
        name = _name(name)
        self._make()
        aside = self._folder / f".{os.getpid()}-{time.monotonic_ns()}.sent"
        try:
            digest = _copy(stream, aside)
            kept = self._kept(_id(self.merchant_id, name, digest))
            if not (kept.is_there() and kept.state().stage in MOVING):
                kept.begin(About(kept.id, name, digest.hex(), now, person), aside)
        finally:
            aside.unlink(missing_ok=True)
        return kept

    def find(self, id_: str) -> "Kept":
        """NotFoundError ``file_unknown`` for what is not there."""
        kept = self._kept(id_)
        if len(id_) != _ID or not set(id_) <= set("0123456789abcdef") or not kept.is_there():
            raise NotFoundError("file_unknown", "there is no such file")
        return kept

    def all(self) -> list["Kept"]:
        """The newest first."""
        found = [self._kept(path.name) for path in self._folder.glob("[0-9a-f]*") if path.is_dir()]
        return sorted((one for one in found if one.is_there()), key=lambda one: -one.about().at)

    def forget(self, now: int) -> None:
        """Drop what has been kept for long enough, or is too much."""
        self.drop_old(now - KEPT_SECONDS)
        for kept in self.all()[MOST_KEPT - 1 :]:
            if kept.state().stage not in MOVING:
                kept.drop()

    def drop_old(self, before: int) -> None:
        """Drop files of before a time; result files are kept for longer (``retention``)."""
        for kept in self.all():
            if kept.state().at < before:
                kept.drop()

    def forget_buyer(self, hash_: str, order_id: str) -> bool:
        """Forget what a merchant's table said of who has this invoice; False while it is busy.

        Of result files, what stood in columns that are not ours. A file that has the order still
        has to be sent again, if it is not issued whole.
        """
        if not self._folder.is_dir():
            return True
        handle = self.lock()
        if handle is None:
            return False
        try:
            for path in self._folder.glob("*.results.ndjson*"):
                forget_columns(path, hash_, order_id)
            for kept in self.all():
                if kept.has_order(order_id):
                    kept.drop()
        finally:
            os.close(handle)
        return True

    def lock(self) -> int | None:
        """A descriptor that holds the shelf until it is closed; None where somebody holds it."""
        self._make()
        handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def _kept(self, id_: str) -> "Kept":
        return Kept(self._folder, id_)

    def _make(self) -> None:
        make_folder(self._folder)
        for folder in (self._folder.parent, self._folder):
            folder.chmod(0o700)  # in it stand buyers


class Kept:
    """One file that was sent."""

    def __init__(self, shelf: Path, id_: str) -> None:
        self.id = id_
        self._shelf = shelf
        self._folder = shelf / id_
        self.sent = self._folder / "sent"
        self.orders = self._folder / "orders.ndjson"

    def is_there(self) -> bool:
        """Whether it is kept."""
        return (self._folder / "state.json").is_file()

    def begin(self, about: About, sent: Path) -> None:
        """Keep what was sent; nothing of it has been read."""
        make_folder(self._folder)
        self._folder.chmod(0o700)
        self.drop_cancelled()
        self.orders.unlink(missing_ok=True)
        sent.rename(self.sent)
        self._write("about.json", about)
        self.move(State(stage="reading", at=about.at))

    def about(self) -> About:
        """What was sent."""
        return msgspec.json.decode((self._folder / "about.json").read_bytes(), type=About)

    def state(self) -> State:
        """How far it is."""
        return msgspec.json.decode((self._folder / "state.json").read_bytes(), type=State)

    def move(self, state: State) -> None:
        """It is as far as that."""
        self._write("state.json", state)

    def preview(self) -> Preview:
        """What it would come to; an empty one before it was read."""
        path = self._folder / "preview.json"
        if not path.is_file():
            return Preview()
        return msgspec.json.decode(path.read_bytes(), type=Preview)

    def keep_preview(self, preview: Preview) -> None:
        """It has been read."""
        self._write("preview.json", preview)

    def has_order(self, order_id: str) -> bool:
        """Whether its orders, which are kept until they are issued, have this one."""
        if self.sent.is_file() and order_id.encode() in self.sent.read_bytes():
            return True
        return self.orders.is_file() and any(one.order_id == order_id for one in self.records())

    def records(self) -> Iterator[Record]:
        """Its orders, as they were read."""
        with self.orders.open("rb") as file:
            for line in file:
                yield _record(_decoder.decode(line))

    def results(self) -> Path:
        """The result file of all files of its name; ConflictError ``file_results_full``."""
        name = sha256(b"fapiao/v1/name\n" + self.about().name.encode()).hex()[:_ID]
        path = self._shelf / f"{name}.results.ndjson"
        if path.is_file() and path.stat().st_size > RESULTS_BYTES:
            raise ConflictError(
                "file_results_full", f"over {RESULTS_BYTES} bytes of results under this name"
            )
        return path

    def check_room(self) -> None:
        """ConflictError ``files_full`` where a merchant's result files are very large together."""
        found = sum(path.stat().st_size for path in self._shelf.glob("*.results.ndjson*"))
        if found > ALL_RESULTS_BYTES:
            raise ConflictError("files_full", f"over {ALL_RESULTS_BYTES} bytes of results in all")

    def cancel(self) -> None:
        """Ask whoever works on it to stop."""
        (self._folder / "cancel").touch()

    def is_cancelled(self) -> bool:
        """Whether somebody has asked."""
        return (self._folder / "cancel").exists()

    def drop_cancelled(self) -> None:
        """Nobody has."""
        (self._folder / "cancel").unlink(missing_ok=True)

    def drop(self) -> None:
        """Forget it."""
        with suppress(OSError):
            shutil.rmtree(self._folder)

    def _write(self, name: str, value: Any) -> None:  # noqa: ANN401 # a struct of ours
        write_file(self._folder / name, msgspec.json.encode(value), mode=PRIVATE)


class _Line(msgspec.Struct, omit_defaults=True):
    """A record as it is kept."""

    number: int
    order_id: str
    body: bytes  # as they came, be they text or not
    key: str = ""
    more: dict[str, str] = {}
    till: str = ""
    day: str = ""
    part: int = 0
    lines: tuple[int, ...] = ()
    code: str = ""
    detail: str = ""
    pointer: str = ""


_decoder: Final = msgspec.json.Decoder(_Line)


def line_of(record: Record) -> bytes:
    """A record as a line; ``Kept.records`` reads it."""
    line = _Line(
        number=record.number,
        order_id=record.order_id,
        body=record.body,
        key=record.key,
        more=record.more,
        till=record.till,
        day=record.day,
        part=record.part,
        lines=record.lines,
    )
    problem = record.problem
    if problem is not None:
        line.code, line.detail, line.pointer = problem.code, problem.detail, problem.pointer
    return msgspec.json.encode(line) + b"\n"


def _record(line: _Line) -> Record:
    problem = MalformedError(line.code, line.detail, pointer=line.pointer) if line.code else None
    return Record(
        number=line.number,
        order_id=line.order_id,
        body=line.body,
        problem=problem,
        key=line.key,
        more=line.more,
        till=line.till,
        day=line.day,
        part=line.part,
        lines=line.lines,
    )


def _id(merchant_id: int, name: str, digest: bytes) -> str:
    known = b"fapiao/v1/sent\n%d\n%s\n%s" % (merchant_id, digest, name.encode())
    return sha256(known).hex()[:_ID]


def _name(text: str) -> str:
    """What a file is called, without folders; MalformedError ``file_name_invalid``."""
    name = unicodedata.normalize("NFC", PurePath(text.replace("\\", "/")).name).strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise MalformedError(
            "file_name_invalid", f"a file's name has 1 to {LONGEST_NAME} characters"
        )
    return name


def _copy(stream: IO[bytes], path: Path) -> bytes:
    """Write what is sent; its digest."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    with os.fdopen(handle, "wb") as file:

        def pieces() -> Iterator[bytes]:
            while piece := stream.read(_COPIED):
                file.write(piece)
                yield piece

        return sha256_of_parts(pieces())
