"""Replay a trace onto a model disk, stopping after every call that matters."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tests.power.disk import Disk, File, Folder
from tests.power.trace import Call, Half, TraceError, thread_groups

_HARMLESS_MAPS = ("PROT_READ,", "PROT_READ|PROT_EXEC,", "MAP_PRIVATE", "PROT_NONE,")
_WRITES = {"write", "writev"}
_WRITES_AT = {"pwrite64", "pwritev"}
_SENDS = {"sendto", "sendmsg", *_WRITES}
_UNKNOWN = {"sendfile", "copy_file_range", "splice", "pwritev2", "io_uring_setup", "sendmmsg"}
CALLS = sorted(
    {"open", "openat", "creat", "close", "dup", "dup2", "dup3", "fcntl", "lseek", "chdir"}
    | {"ftruncate", "truncate", "fallocate", "rename", "renameat", "renameat2", "unlink"}
    | {"unlinkat", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat", "rmdir"}
    | {"fsync", "fdatasync", "sync_file_range", "sync", "syncfs", "mmap", "clone", "clone3"}
    | _WRITES_AT
    | _SENDS
    | _UNKNOWN
)


@dataclass(frozen=True, slots=True)
class Step:
    """A call that changed the disk, made something safe, or told somebody something."""

    number: int
    call: Call
    path: str = ""
    sent: bytes = b""

    @property
    def synced(self) -> bool:
        """Return whether this step made something safe."""
        return self.call.name in {"fsync", "fdatasync"}


@dataclass(slots=True)
class _Position:
    """Where the next plain write of an open file goes."""

    offset: int = 0
    appends: bool = False


@dataclass
class Replay:
    """Applies calls to ``disk`` in order; iterate over ``steps``."""

    disk: Disk
    calls: list[Call]
    _open: dict[tuple[int, int], _Position] = field(default_factory=dict)
    _folders: dict[int, str] = field(default_factory=dict)
    _syncs: dict[int, int] = field(default_factory=dict)

    def steps(self) -> Iterator[Step]:
        """Apply the calls one by one; yield after each that matters, the disk as it is then."""
        groups = thread_groups(self.calls)
        number = 0
        for call in self.calls:
            step = self._apply(call, groups.get(call.pid, call.pid), number)
            if step is not None:
                yield step
                number += 1

    def _apply(self, call: Call, process: int, number: int) -> Step | None:
        if call.half is Half.BEGIN:
            if call.name in {"fsync", "fdatasync"}:
                self._syncs[call.pid] = self.disk.position()  # it covers what was written before
            return None
        if not call.succeeded:
            self._syncs.pop(call.pid, None)
            return None
        if call.name in _SENDS and (sent := self._sent(call)):
            return Step(number, call, sent=sent)
        handler = _HANDLERS.get(call.name)
        path = handler(self, call, process) if handler is not None else self._refuse_unknown(call)
        return Step(number, call, path) if path else None

    def _sent(self, call: Call) -> bytes:
        descriptor = call.descriptor()
        if descriptor is not None and descriptor.path.startswith("socket:"):
            return call.data()
        return b""

    def _ours(self, call: Call) -> str:
        """Return the path of the call's descriptor when it is a file of this disk."""
        descriptor = call.descriptor()
        if descriptor is None or not self.disk.has(descriptor.path):
            return ""
        return "" if descriptor.path.endswith("-shm") else descriptor.path

    def _file(self, call: Call) -> File:
        descriptor = call.descriptor()
        assert descriptor is not None
        return self.disk.file(descriptor.path, deleted=descriptor.deleted)

    def _refuse_unknown(self, call: Call) -> str:
        if call.name in _UNKNOWN and any(self.disk.has(d.path) for d in call.descriptors()):
            raise TraceError(f"{call.name} on a watched file is not modelled: {call.text[:200]}")
        return ""

    def _refuse_map(self, call: Call, process: int) -> str:
        path = self._ours(call)
        if path and not any(mark in call.text for mark in _HARMLESS_MAPS):
            raise TraceError(f"a shared writable map of {path} is not modelled")
        return ""

    def _path(self, call: Call, process: int, which: int = 0) -> str:
        """Return an argument as an absolute path when it lies on this disk."""
        text = call.strings()[which].decode("utf-8", "surrogateescape")
        folders = call.descriptors()
        base = folders[min(which, len(folders) - 1)].path if folders else ""
        path = str(PurePosixPath(base or self._folders.get(process, "/"), text))
        return path if self.disk.has(path) and not path.endswith("-shm") else ""

    def _chdir(self, call: Call, process: int) -> str:
        base = self._folders.get(process, "/")
        self._folders[process] = str(PurePosixPath(base, call.strings()[0].decode()))
        return ""

    def _opens(self, call: Call, process: int) -> str:
        path = call.opened
        if not self.disk.has(path) or path.endswith("-shm"):
            return ""
        assert call.result is not None
        self._open[process, call.result] = _Position(appends="O_APPEND" in call.text)
        created = self.disk.find(path) is None
        if created:
            self.disk.create(path, File())
        elif "O_TRUNC" in call.text:
            self.disk.resize(self.disk.file(path), 0)
        return path if created or "O_TRUNC" in call.text else ""

    def _duplicates(self, call: Call, process: int) -> str:
        descriptor = call.descriptor()
        if descriptor is not None and (call.name != "fcntl" or "F_DUPFD" in call.text):
            position = self._open.get((process, descriptor.number))
            if position is not None and call.result is not None:
                self._open[process, call.result] = position
        return ""

    def _seeks(self, call: Call, process: int) -> str:
        descriptor = call.descriptor()
        if descriptor is not None and self._ours(call) and call.result is not None:
            self._open[process, descriptor.number].offset = call.result
        return ""

    def _writes(self, call: Call, process: int) -> str:
        path = self._ours(call)
        descriptor = call.descriptor()
        if not path or descriptor is None:
            return ""
        position = self._open.get((process, descriptor.number))
        if position is None:
            raise TraceError(f"a write to {path} through a descriptor opened elsewhere")
        file, data = self._file(call), call.data()
        if position.appends:
            position.offset = file.size()
        self.disk.write(file, position.offset, data)
        position.offset += len(data)
        return path

    def _writes_at(self, call: Call, process: int) -> str:
        path = self._ours(call)
        if path:
            self.disk.write(self._file(call), call.last_number(), call.data())
        return path

    def _truncates(self, call: Call, process: int) -> str:
        path = self._ours(call) if call.name == "ftruncate" else self._path(call, process)
        if path:
            file = self._file(call) if call.name == "ftruncate" else self.disk.file(path)
            self.disk.resize(file, call.last_number())
        return path

    def _allocates(self, call: Call, process: int) -> str:
        path = self._ours(call)
        if not path:
            return ""
        mode, offset, length = (part.strip() for part in call.text.split(",")[-3:])
        if mode != "0":
            raise TraceError(f"fallocate mode {mode} of {path} is not modelled")
        file = self._file(call)
        self.disk.resize(file, max(file.size(), int(offset) + int(length)))
        return path

    def _renames(self, call: Call, process: int) -> str:
        old, new = self._path(call, process, 0), self._path(call, process, 1)
        if bool(old) != bool(new):
            raise TraceError(f"a rename into or out of the watched folder: {old} {new}")
        if old and ("RENAME_EXCHANGE" in call.text or "RENAME_WHITEOUT" in call.text):
            raise TraceError(f"this kind of rename is not modelled: {old} {new}")
        if old:
            self.disk.rename(old, new)
        return new

    def _links(self, call: Call, process: int) -> str:
        old, new = self._path(call, process, 0), self._path(call, process, 1)
        if new:
            inode = self.disk.find(old) if old else None
            if inode is None:
                raise TraceError(f"a link to something outside the watched folder: {new}")
            self.disk.link(inode, new)
        return new

    def _symlinks(self, call: Call, process: int) -> str:
        if self._path(call, process, 1):
            raise TraceError("a symbolic link in the watched folder is not modelled")
        return ""

    def _removes(self, call: Call, process: int) -> str:
        path = self._path(call, process)
        if path:
            self.disk.remove(path)
        return path

    def _makes_folder(self, call: Call, process: int) -> str:
        path = self._path(call, process)
        if path and path != str(self.disk.root):
            self.disk.create(path, Folder())
        return path

    def _syncs_path(self, call: Call, process: int) -> str:
        before = self._syncs.pop(call.pid, None)
        path = self._ours(call)
        descriptor = call.descriptor()
        if path and descriptor is not None:
            before = self.disk.position() if before is None else before
            self.disk.sync(path, before, deleted=descriptor.deleted)
        return path


_HANDLERS: dict[str, Callable[[Replay, Call, int], str]] = {
    **dict.fromkeys(("open", "openat", "creat"), Replay._opens),
    **dict.fromkeys(("dup", "dup2", "dup3", "fcntl"), Replay._duplicates),
    **dict.fromkeys(_WRITES, Replay._writes),
    **dict.fromkeys(_WRITES_AT, Replay._writes_at),
    **dict.fromkeys(("rename", "renameat", "renameat2"), Replay._renames),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), Replay._removes),
    **dict.fromkeys(("link", "linkat"), Replay._links),
    **dict.fromkeys(("symlink", "symlinkat"), Replay._symlinks),
    **dict.fromkeys(("mkdir", "mkdirat"), Replay._makes_folder),
    **dict.fromkeys(("ftruncate", "truncate"), Replay._truncates),
    **dict.fromkeys(("fsync", "fdatasync"), Replay._syncs_path),
    "fallocate": Replay._allocates,
    "lseek": Replay._seeks,
    "chdir": Replay._chdir,
    "mmap": Replay._refuse_map,
}


def replay(calls: Iterable[Call], disk: Disk) -> Iterator[Step]:
    """Yield every step of a trace, ``disk`` standing as it was at that moment."""
    yield from Replay(disk, list(calls)).steps()
