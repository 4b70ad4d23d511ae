"""A receipt printer, written from Epson's list of commands alone: it shares nothing with ours.

It knows few commands, and takes no other byte: what it does not know, no printer should be sent.
Letters are put together by ``iconv``, another program.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.outside import need

ESC, FS, GS, LF = 0x1B, 0x1C, 0x1D, 0x0A
FONT_A, CHINESE = 12, 24  # dots
LEVELS: Final = {48: "L", 49: "M", 50: "Q", 51: "H"}
SIDES: Final = {0: "left", 1: "center", 2: "right", 48: "left", 49: "center", 50: "right"}


class WrongBytesError(AssertionError):
    """What the command list does not have."""


@dataclass
class Printed:
    """One line on the paper, from its first dot to its last."""

    text: str
    start: int
    dots: int
    bold: bool
    wide: bool
    high: bool


@dataclass
class Drawn:
    """A QR code that the printer has made by itself."""

    text: str
    level: str
    module: int
    model: int
    align: str


@dataclass
class Paper:
    """What came out, in order."""

    printed: list[Printed | Drawn] = field(default_factory=list)
    drawer: int = 0
    cuts: int = 0

    @property
    def lines(self) -> list[Printed]:
        return [item for item in self.printed if isinstance(item, Printed)]

    @property
    def codes(self) -> list[Drawn]:
        return [item for item in self.printed if isinstance(item, Drawn)]

    @property
    def texts(self) -> list[str]:
        """Its lines that are not empty, without the white around them."""
        return [line.text.strip() for line in self.lines if line.text.strip()]


class Printer:
    """A head of so many dots; it takes a whole job."""

    def __init__(self, head: int) -> None:
        self.head = head

    def take(self, job: bytes) -> Paper:
        """The paper that comes out."""
        self._job, self._at = job, 0
        self.paper = Paper()
        self._reset()
        while self._at < len(job):
            self._step()
        assert not self._line, "text is left in the buffer: it never comes out"
        return self.paper

    def _reset(self) -> None:
        self._line: list[tuple[bytes, int]] = []
        self._chinese = self._bold = False
        self._across = self._down = 1
        self._align = "left"
        self._code: dict[str, int] = {"model": 2, "module": 3, "level": 48}
        self._stored = b""

    def _next(self, count: int = 1) -> bytes:
        taken = self._job[self._at : self._at + count]
        if len(taken) < count:
            raise WrongBytesError("the job ends within a command")
        self._at += count
        return taken

    def _step(self) -> None:
        first = self._next()[0]
        if first == LF:
            self._feed()
        elif first in (ESC, FS, GS):
            self._command(first, self._next()[0])
        elif first < 0x20 or first == 0x7F:
            raise WrongBytesError(f"the control {first:#x}")
        else:
            self._letter(first)

    def _command(self, first: int, second: int) -> None:
        known: dict[tuple[int, int], Callable[[], None]] = {
            (ESC, ord("@")): self._reset,
            (ESC, ord("a")): self._set_align,
            (ESC, ord("E")): self._set_bold,
            (ESC, ord("R")): self._set_country,
            (ESC, ord("p")): self._open_drawer,
            (FS, ord("&")): self._set_chinese,
            (GS, ord("!")): self._set_size,
            (GS, ord("(")): self._symbol,
            (GS, ord("V")): self._cut,
        }
        try:
            act = known[first, second]
        except KeyError:
            raise WrongBytesError(f"the command {first:#x} {chr(second)!r}") from None
        act()

    def _set_align(self) -> None:
        assert not self._line, "ESC a works at the beginning of a line only"
        self._align = SIDES[self._next()[0]]

    def _set_bold(self) -> None:
        self._bold = bool(self._next()[0] & 1)

    def _set_country(self) -> None:
        assert self._next() == b"\0", "only in the first set are all of ASCII's signs themselves"

    def _set_chinese(self) -> None:
        self._chinese = True

    def _set_size(self) -> None:
        size = self._next()[0]
        self._across, self._down = (size >> 4 & 7) + 1, (size & 7) + 1

    def _open_drawer(self) -> None:
        pin, on, off = self._next(3)
        assert pin in (0, 1, 48, 49)
        assert 0 < on <= off, "as long off as on at least, or it burns"
        self.paper.drawer += 1

    def _cut(self) -> None:
        assert not self._line, "a cut in the middle of a line"
        assert self._next()[0] in (65, 66), "feeds to the knife first"
        self._next()
        self.paper.cuts += 1

    def _letter(self, first: int) -> None:
        if first < 0x80:
            self._line.append((bytes([first]), FONT_A * self._across))
            return
        assert self._chinese, "not in the Chinese mode"
        second = self._next()
        more = self._next(2) if 0x30 <= second[0] <= 0x39 else b""
        self._line.append((bytes([first]) + second + more, CHINESE * self._across))

    def _feed(self) -> None:
        dots = sum(width for _, width in self._line)
        if dots > self.head:
            raise WrongBytesError(f"{dots} dots are wider than the head: the printer breaks it")
        text = _utf8(b"".join(sign for sign, _ in self._line))
        room = {"left": 0, "center": (self.head - dots) // 2, "right": self.head - dots}
        wide, high = self._across > 1, self._down > 1
        line = Printed(text, room[self._align], dots, self._bold, wide, high)
        self.paper.printed.append(line)
        self._line = []

    def _symbol(self) -> None:
        assert self._next() == b"k"
        low, high = self._next(2)
        call = self._next(low + 256 * high)
        assert call[0] == 49, "not a QR code"
        function, rest = call[1], call[2:]
        if function == 65:
            assert rest[1:] == b"\0"
            self._code["model"] = rest[0] - 48
        elif function == 67:
            assert 1 <= rest[0] <= 16
            (self._code["module"],) = rest
        elif function == 69:
            (self._code["level"],) = rest
        elif function == 80:
            assert rest[:1] == b"0"
            self._stored = rest[1:]
        elif function == 81:
            self._draw(rest)
        else:
            raise WrongBytesError(f"the QR function {function}")

    def _draw(self, rest: bytes) -> None:
        assert rest == b"0"
        assert not self._line, "a code in the middle of a line"
        assert self._stored, "nothing is stored"
        level, module, model = (
            LEVELS[self._code["level"]],
            self._code["module"],
            self._code["model"],
        )
        self.paper.printed.append(Drawn(_utf8(self._stored), level, module, model, self._align))


def _utf8(text: bytes) -> str:
    done = subprocess.run(
        [need("iconv"), "-f", "GB18030", "-t", "UTF-8"], input=text, capture_output=True, check=True
    )
    return done.stdout.decode()
