"""Read what strace wrote: one ``Call`` a system call, in the order in which they happened.

strace runs with ``-f -ttt -xx -y``: every string is printed in hexadecimal, and every file
descriptor is followed by the path it stands for at that moment, so that nothing here has to
guess which file a descriptor means.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import starmap

_LINE = re.compile(r"(?P<pid>\d+)\s+(?P<time>\d+\.\d+) (?P<rest>.*)")
_BEGUN = re.compile(r"(?P<name>\w+)\((?P<text>.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>,? ?(?P<text>.*)")
_RESULT = re.compile(r"(?P<text>.*)\)\s+= (?P<value>-?\d+|\?|0x[0-9a-f]+)(?P<tail>.*)$")
_HEX = r"(?:\\x[0-9a-f]{2})*"
_STRING = re.compile(rf'"({_HEX})"(\.\.\.)?')
_FD = re.compile(rf"(?P<fd>-?\d+|AT_FDCWD)<(?P<path>{_HEX})>(?P<deleted>\(deleted\))?")


class TraceError(Exception):
    """The trace holds something that this reader does not understand; nothing may be skipped."""


class Half(Enum):
    """Which part of a call a record is; strace splits a call that another one interrupts."""

    BEGIN = "begin"
    END = "end"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A file descriptor and the path strace found behind it."""

    number: int
    path: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One system call, or the first half of one that was interrupted by another's."""

    pid: int
    time: float
    name: str
    text: str
    half: Half
    result: int | None = None
    opened: str = ""

    @property
    def succeeded(self) -> bool:
        """Return whether the kernel reported success (a first half has reported nothing yet)."""
        return self.result is not None and self.result >= 0

    def descriptor(self) -> Descriptor | None:
        """Return the first file descriptor among the arguments, if the call has one."""
        return next(iter(self.descriptors()), None)

    def descriptors(self) -> list[Descriptor]:
        """Return every annotated file descriptor of the arguments, in order."""
        return list(starmap(_descriptor, _FD.findall(self.text)))

    def strings(self) -> list[bytes]:
        """Return every string argument; raises TraceError if strace cut one short."""
        found = _STRING.findall(self.text)
        if any(cut for _, cut in found):
            raise TraceError(f"strace shortened an argument of {self.name}; raise its -s")
        return [_unhex(text) for text, _ in found]

    def data(self) -> bytes:
        """Return the bytes a write or send carried (all pieces of a vector), as many as went."""
        sent = b"".join(self.strings())
        return sent if self.result is None else sent[: self.result]

    def last_number(self) -> int:
        """Return the last argument: the offset of a pwrite64, the length of an ftruncate."""
        return int(self.text.rsplit(", ", 1)[1], 0)


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _descriptor(number: str, path: str, deleted: str) -> Descriptor:
    fd = -100 if number == "AT_FDCWD" else int(number)
    return Descriptor(fd, _unhex(path).decode("utf-8", "surrogateescape"), bool(deleted))


def read_trace(lines: Iterable[str]) -> Iterator[Call]:
    """Yield the calls of a trace in order; raises TraceError at a line it cannot read."""
    begun: dict[int, str] = {}
    for line in lines:
        match = _LINE.match(line.rstrip("\n"))
        if match is None:
            raise TraceError(f"not a line of strace: {line[:120]!r}")
        rest = match["rest"]
        if rest.startswith(("+++", "---")):
            continue  # an exit or a signal: neither changes a file
        yield _read_call(int(match["pid"]), float(match["time"]), rest, begun)


def _read_call(pid: int, time: float, rest: str, begun: dict[int, str]) -> Call:
    if (first := _BEGUN.match(rest)) is not None:
        begun[pid] = first["text"]
        return Call(pid, time, first["name"], first["text"], Half.BEGIN)
    if (second := _RESUMED.match(rest)) is not None:
        text = begun.pop(pid, "") + second["text"]
        return _finished(pid, time, second["name"], text, Half.END)
    name, _, text = rest.partition("(")
    return _finished(pid, time, name, text, Half.WHOLE)


def _finished(pid: int, time: float, name: str, text: str, half: Half) -> Call:
    match = _RESULT.match(text)
    if match is None:
        raise TraceError(f"no result in {name}({text[:120]!r}")
    result = None if match["value"] == "?" else int(match["value"], 0)
    opened = _FD.match(match["value"] + match["tail"])
    path = _descriptor(*opened.groups()).path if opened is not None else ""
    return Call(pid, time, name, match["text"], half, result, path)


def thread_groups(calls: Iterable[Call]) -> dict[int, int]:
    """Return for every thread started in the trace the process it belongs to."""
    group: dict[int, int] = {}
    for call in calls:
        if call.name in {"clone", "clone3"} and call.succeeded and "CLONE_THREAD" in call.text:
            assert call.result is not None
            group[call.result] = group.get(call.pid, call.pid)
    return group
