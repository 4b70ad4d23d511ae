"""A model of a disk with a volatile cache: what was written, and what a power cut must leave.

It is at least as pessimistic as POSIX: a file's bytes are safe after fsync or fdatasync of that
file, a name is safe after fsync of its folder, and of everything else any part may be lost, in any
order, in sectors of 512 bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path, PurePosixPath

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes put at an offset of a file, not yet synced."""

    change: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    """A file cut or extended with zeros to ``size`` bytes, not yet synced."""

    change: int
    size: int


@dataclass(frozen=True, slots=True)
class Naming:
    """Names of one folder that changed together (a rename changes two), not yet synced.

    ``None`` stands for a name that was removed.
    """

    change: int
    names: Mapping[str, int | None]
    renamed: bool = False


Change = Write | Resize


@dataclass(slots=True)
class File:
    """A file: the bytes that are safe, and the changes since."""

    safe: bytes = b""
    pending: list[Change] = field(default_factory=list)

    def contents(self, kept: Iterable[Change] | None = None) -> bytes:
        """Return the bytes with the ``kept`` changes applied (all pending ones by default)."""
        data = bytearray(self.safe)
        for change in self.pending if kept is None else kept:
            _apply(data, change)
        return bytes(data)

    def size(self) -> int:
        """Return the visible length in bytes."""
        size = len(self.safe)
        for change in self.pending:
            if isinstance(change, Resize):
                size = change.size
            else:
                size = max(size, change.offset + len(change.data))
        return size


@dataclass(slots=True)
class Folder:
    """A folder: the names that are safe, and the changes since."""

    safe: dict[str, int] = field(default_factory=dict)
    pending: list[Naming] = field(default_factory=list)

    def names(self, kept: Iterable[Naming] | None = None) -> dict[str, int]:
        """Return name -> inode with the ``kept`` changes applied (all pending ones by default)."""
        names = dict(self.safe)
        for naming in self.pending if kept is None else kept:
            for name, inode in naming.names.items():
                if inode is None:
                    names.pop(name, None)
                else:
                    names[name] = inode
        return names


def _apply(data: bytearray, change: Change) -> None:
    if isinstance(change, Resize):
        del data[change.size :]
        data.extend(bytes(change.size - len(data)))
        return
    end = change.offset + len(change.data)
    if len(data) < end:
        data.extend(bytes(end - len(data)))
    data[change.offset : end] = change.data


class Disk:
    """One folder tree under ``root``, as the kernel shows it and as the platter holds it."""

    def __init__(self, root: Path, ignored: frozenset[str] = frozenset()) -> None:
        """``ignored`` are names of folders below ``root`` in which nothing is watched."""
        self.root = PurePosixPath(root)
        self._ignored = ignored
        self.nodes: dict[int, File | Folder] = {0: Folder()}
        self._removed: dict[str, int] = {}
        self._inodes = count(1)
        self._changes = count(1)

    @classmethod
    def holding(cls, root: Path, ignored: frozenset[str] = frozenset()) -> "Disk":
        """Return a disk on which everything now under ``root`` is already safe."""
        disk = cls(root, ignored)
        paths = [path for path in sorted(root.rglob("*")) if disk.has(str(path))]
        for path in paths:
            disk.create(str(path), File(path.read_bytes()) if path.is_file() else Folder())
        for folder in [root, *(path for path in paths if path.is_dir())]:
            disk.sync(str(folder), disk.position())
        return disk

    def position(self) -> int:
        """Return a mark: every change made so far counts as earlier than it."""
        return next(self._changes)

    def has(self, path: str) -> bool:
        """Return whether ``path`` lies under the root of this disk and is watched."""
        if not PurePosixPath(path).is_relative_to(self.root):
            return False
        return self._ignored.isdisjoint(PurePosixPath(path).relative_to(self.root).parts)

    def find(self, path: str, *, deleted: bool = False) -> int | None:
        """Return the inode that ``path`` shows now (or showed last, if it was deleted)."""
        if deleted:
            return self._removed.get(path)
        inode = 0
        for part in PurePosixPath(path).relative_to(self.root).parts:
            node = self.nodes[inode]
            found = node.names().get(part) if isinstance(node, Folder) else None
            if found is None:
                return None
            inode = found
        return inode

    def file(self, path: str, *, deleted: bool = False) -> File:
        """Return the file at ``path``; raises KeyError when there is none."""
        inode = self.find(path, deleted=deleted)
        node = self.nodes[inode] if inode is not None else None
        if not isinstance(node, File):
            raise KeyError(path)
        return node

    def create(self, path: str, node: File | Folder) -> int:
        """Give ``path`` to a new, unsynced file or folder."""
        inode = next(self._inodes)
        self.nodes[inode] = node
        self.link(inode, path)
        return inode

    def link(self, inode: int, path: str) -> None:
        """Let ``path`` name ``inode``."""
        self._name(path, {PurePosixPath(path).name: inode})

    def remove(self, path: str) -> None:
        """Take the name ``path`` away (unlink, rmdir)."""
        self._forget(path)
        self._name(path, {PurePosixPath(path).name: None})

    def rename(self, old: str, new: str) -> None:
        """Move a name: one change within a folder, two independent ones between folders."""
        inode = self.find(old)
        if inode is None:
            raise KeyError(old)
        self._forget(new)
        source, target = PurePosixPath(old), PurePosixPath(new)
        if source.parent == target.parent:
            self._name(new, {source.name: None, target.name: inode}, renamed=True)
        else:
            self._name(new, {target.name: inode}, renamed=True)
            self._name(old, {source.name: None}, renamed=True)

    def write(self, file: File, offset: int, data: bytes) -> None:
        """Put ``data`` at ``offset``; volatile until the file is synced."""
        file.pending.append(Write(next(self._changes), offset, data))

    def resize(self, file: File, size: int) -> None:
        """Cut or extend a file; volatile until the file is synced."""
        file.pending.append(Resize(next(self._changes), size))

    def sync(self, path: str, before: int, *, deleted: bool = False) -> None:
        """Make safe what was changed in ``path`` earlier than the mark ``before``."""
        inode = self.find(path, deleted=deleted)
        if inode is None:
            return  # never seen: created and removed outside the trace
        node = self.nodes[inode]
        if isinstance(node, Folder):
            names = [naming for naming in node.pending if naming.change < before]
            node.safe = node.names(names)
            node.pending = node.pending[len(names) :]
        else:
            changes = [change for change in node.pending if change.change < before]
            node.safe = node.contents(changes)
            node.pending = node.pending[len(changes) :]

    def visible(self) -> dict[str, bytes | None]:
        """Return relative path -> contents (None for a folder) as processes see them now."""
        return dict(self.walk(0, ""))

    def walk(self, inode: int, at: str) -> Iterable[tuple[str, bytes | None]]:
        """Yield what is visible below ``inode``, whose own relative path is ``at``."""
        node = self.nodes[inode]
        if isinstance(node, File):
            yield at, node.contents()
            return
        if at:
            yield at, None
        for name, child in sorted(node.names().items()):
            yield from self.walk(child, f"{at}/{name}" if at else name)

    def _name(self, path: str, names: dict[str, int | None], *, renamed: bool = False) -> None:
        parent = self.find(str(PurePosixPath(path).parent))
        folder = self.nodes[parent] if parent is not None else None
        if not isinstance(folder, Folder):
            raise KeyError(path)
        folder.pending.append(Naming(next(self._changes), names, renamed))

    def _forget(self, path: str) -> None:
        inode = self.find(path)
        if inode is not None:
            self._removed[path] = inode
