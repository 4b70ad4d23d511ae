"""The rows of a workbook (.xlsx) that somebody sent: of its first sheet, as text, within bounds.

openpyxl writes our workbooks, and does not read theirs: it makes an object of every style and every
string that a file claims to have, and a few kilobytes can claim millions. Here a part is read as it
is unpacked, no further than its bound. A document type is refused: its entities could grow again.
ECMA-376, part 1, 18.2 (workbook), 18.3 (sheet), 18.4 (strings).
"""

import re
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from posixpath import join, normpath
from typing import IO, Any, Final, NamedTuple, TypeVar
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from chain.errors import MalformedError
from invoice_service.documents.kinds import refuse_other_kinds, refuse_other_packages

MAX_BYTES: Final = 4 << 20
"""Of a whole workbook that anybody may send, packed."""
MAX_PART: Final = 16 << 20
"""Of one of its parts, unpacked."""
MAX_MEMBERS: Final = 2000
MAX_ELEMENTS: Final = 250_000
"""Of one of its parts: each costs some microseconds, and next to nothing when it is packed."""
MAX_ROW: Final = 1_048_576
MAX_COLUMNS: Final = 16
"""What stands further right counts as standing in one column more."""

_CHUNK: Final = 1 << 16
_BOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_PLACE: Final = re.compile(r"([A-Z]{1,3})[1-9][0-9]{0,6}", re.ASCII)
_WHOLE: Final = re.compile(r"(-?[0-9]+)\.0+", re.ASCII)
_MERGED: Final = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^>]{0,200}?ref\s{0,9}=\s{0,9}["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']"""
)
_LONGEST_MERGED: Final = 320  # bytes
MAX_MERGED: Final = 200_000
"""Columns of all merged ranges together."""

_TRUE: Final = ("1", "true")
UNCOUNTED: Final = "#VALUE!"
"""Stands for a formula that nobody has computed, as for one that failed."""

_DAMAGED: Final = (
    *(BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, OSError),
    *(LookupError, ValueError, struct.error, expat.ExpatError),
)
"""What the readers of zip files and XML raise for one that is not what it says."""

Attributes = dict[str, str]
Found = TypeVar("Found")


class Row(NamedTuple):
    """A row that holds something: its number on the sheet, and its cells from the first column.

    ``merged`` are the places of cells that are one with the cell above.
    """

    number: int
    cells: list[str]
    merged: frozenset[int] = frozenset()


class Bounds(NamedTuple):
    """How much of a workbook is read: bytes and elements of a part, columns of a row."""

    part: int = MAX_PART
    elements: int = MAX_ELEMENTS
    columns: int = MAX_COLUMNS


ANYBODY: Final = Bounds()
OWN: Final = Bounds(part=128 << 20, elements=3_000_000, columns=100)
"""For those whom we know: 20,000 orders of four lines are read."""


def sheet_rows(file: IO[bytes], bounds: Bounds = ANYBODY) -> Iterator[Row]:
    """The rows of the first sheet that can be seen, as they are unpacked.

    A formula counts as what it came to; numbers keep the digits that the file has.
    Raises MalformedError: not_xlsx, body_too_large, and as ``refuse_other_kinds`` and
    ``refuse_other_packages`` do.
    """
    refuse_other_kinds(file)
    try:
        with ZipFile(file) as archive:
            if len(archive.infolist()) > MAX_MEMBERS:
                raise BadZipFile("too many members")
            refuse_other_packages(archive)
            sheet, strings = _parts(archive)
            texts = list(_read(archive, strings, _Strings(), bounds)) if strings else []
            yield from _read(archive, sheet, _Sheet(texts, bounds.columns), bounds)
    except _DAMAGED:
        raise MalformedError(
            "not_xlsx", "this is not a workbook that can be read: save it anew as .xlsx"
        ) from None


def table_rows_of(file: IO[bytes], bounds: Bounds = OWN) -> Iterator[Row]:
    """As ``sheet_rows``, with what is merged, and never days that are counted from another.

    MalformedError ``workbook_dates_1904``.
    """
    merges = _merges(file, bounds)
    for row in sheet_rows(file, bounds):
        yield row._replace(merged=merges.in_row(row.number))


class Merges:
    """Which cells are one with the cell above: by columns, each a list of first and last rows."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._count = 0
        self._of: dict[int, list[tuple[int, int]]] = {}

    def add(self, left: int, top: int, right: int, bottom: int) -> None:
        """A range, its columns and rows from 1."""
        if bottom <= top:
            return
        for column in range(left, min(right, self._columns) + 1):
            self._of.setdefault(column - 1, []).append((top, bottom))
            self._count += 1
        if self._count > MAX_MERGED:
            raise _too_large(f"no sheet has over {MAX_MERGED} merged columns")

    def sort(self) -> None:
        """All have been added."""
        for ranges in self._of.values():
            ranges.sort()

    def in_row(self, number: int) -> frozenset[int]:
        """The places of a row's cells that are one with those above; from 0."""
        return frozenset(place for place, of in self._of.items() if _within(of, number))


def _within(ranges: list[tuple[int, int]], number: int) -> bool:
    found = bisect_left(ranges, (number, 0)) - 1
    return found >= 0 and ranges[found][0] < number <= ranges[found][1]


def _merges(file: IO[bytes], bounds: Bounds) -> Merges:
    """They stand behind the rows: so the part is looked through for them before.

    What cannot be read is left for whoever reads the rows to say.
    """
    merges = Merges(bounds.columns)
    refuse_other_kinds(file)
    try:
        with ZipFile(file) as archive:
            _refuse_1904(archive)
            for found in _found_in(archive, _parts(archive)[0], bounds):
                left, top, right, bottom = (part.decode() for part in found)
                merges.add(_column(f"{left}1"), int(top), _column(f"{right}1"), int(bottom))
    except _DAMAGED:
        pass
    merges.sort()
    file.seek(0)
    return merges


def _refuse_1904(archive: ZipFile) -> None:
    for _, said in _read(archive, _BOOK, _Elements("workbookPr")):
        if said.get("date1904", "0") in _TRUE:
            raise MalformedError(
                "workbook_dates_1904",
                "the workbook counts its days from 1904: turn that off in its options, and look"
                " whether its dates are right",
            )


def _found_in(archive: ZipFile, name: str, bounds: Bounds) -> Iterator[tuple[bytes, ...]]:
    """What ``_MERGED`` finds in a part."""
    size, kept = 0, b""
    with archive.open(name) as part:
        while (chunk := part.read(_CHUNK)) and size <= bounds.part:
            size += len(chunk)
            text, end = kept + chunk, 0
            for match in _MERGED.finditer(text):
                end = match.end()
                yield match.groups()
            kept = text[max(end, len(text) - _LONGEST_MERGED) :]


def _parts(archive: ZipFile) -> tuple[str, str]:
    """Where the first sheet and the strings are; "" without strings."""
    targets, strings = {}, ""
    for _, said in _read(archive, _RELATIONS, _Elements("Relationship")):
        path = normpath(join("/xl", said["Target"])).lstrip("/")
        targets[said["Id"]] = path
        if said["Type"].endswith("/sharedStrings"):
            strings = path
    for _, said in _read(archive, _BOOK, _Elements("sheet")):
        if said.get("state", "visible") == "visible":
            return targets[said["id"]], strings
    raise LookupError("no sheet")


class _Elements:
    """Finds elements of one name; where they stand does not matter."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.found: list[Any] = []

    def start(self, name: str, said: Attributes) -> None:
        if name == self._name:
            self.found.append((name, said))

    def end(self, name: str) -> None:
        """Nothing to do."""

    def text(self, text: str) -> None:
        """Nothing to do."""


class _Texts:
    """Gathers what people see of a text: not how it is spoken (``rPh``)."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self._pieces: list[str] = []
        self._open = self._spoken = False

    def start(self, name: str, _: Attributes) -> None:
        self._open = name in ("t", "v") and not self._spoken
        self._spoken = self._spoken or name == "rPh"

    def end(self, name: str) -> None:
        self._open = False
        self._spoken = self._spoken and name != "rPh"

    def text(self, text: str) -> None:
        if self._open:
            self._pieces.append(text)

    def taken(self) -> str:
        """What was gathered since it was taken last."""
        whole = "".join(self._pieces)
        self._pieces.clear()
        return whole


class _Strings(_Texts):
    """The strings of a workbook, in order."""

    def end(self, name: str) -> None:
        super().end(name)
        if name == "si":
            self.found.append(self.taken())


class _Sheet(_Texts):
    """The rows of a sheet."""

    def __init__(self, strings: list[str], columns: int) -> None:
        super().__init__()
        self._columns = columns
        self._strings = strings
        self._row, self._column, self._kind = 0, 0, "n"
        self._formula = False
        self._cells: dict[int, str] = {}

    def start(self, name: str, said: Attributes) -> None:
        super().start(name, said)
        if name == "row":
            self._begin_row(int(said.get("r", self._row + 1)))
        elif name == "c":
            self._column = _column(said["r"]) if "r" in said else self._column + 1
            self._kind = said.get("t", "n")
            self._formula = False
            self.taken()
        elif name == "f":
            self._formula = True

    def end(self, name: str) -> None:
        super().end(name)
        if name == "c":
            text = self._value(self.taken())
            if self._formula and not text:
                text = UNCOUNTED
            if text.strip():
                self._cells[min(self._column, self._columns + 1)] = text
        elif name == "row" and self._cells:
            cells = [self._cells.get(n, "") for n in range(1, max(self._cells) + 1)]
            self.found.append(Row(self._row, cells))

    def _begin_row(self, number: int) -> None:
        if not self._row < number <= MAX_ROW:
            raise ValueError("rows out of order")
        self._row, self._column = number, 0
        self._cells = {}

    def _value(self, text: str) -> str:
        if self._kind == "s":
            place = int(text)
            if place < 0:
                raise ValueError("no such text")
            return self._strings[place]
        whole = _WHOLE.fullmatch(text) if self._kind == "n" else None
        return whole[1] if whole else text


def _column(place: str) -> int:
    """The column of a cell's place: 1 for A7, 27 for AA7. ValueError."""
    match = _PLACE.fullmatch(place)
    if match is None:
        raise ValueError(place)
    number = 0
    for letter in match[1]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _read(
    archive: ZipFile,
    name: str,
    reader: Any,  # noqa: ANN401 # three of one shape
    bounds: Bounds = ANYBODY,
) -> Iterator[Any]:
    """What ``reader`` finds in a part, as it is unpacked."""
    member = archive.getinfo(name)
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadZipFile("packed in a way that no workbook is")
    parser = _parser(reader, bounds.elements)
    size = 0
    with archive.open(member) as part:
        while chunk := part.read(_CHUNK):
            size += len(chunk)
            if size > bounds.part:
                most = bounds.part >> 20
                raise _too_large(f"no part of a workbook is over {most} MiB unpacked")
            parser.Parse(chunk, False)  # noqa: FBT003 # its name in C
            yield from reader.found
            reader.found.clear()
    parser.Parse(b"", True)  # noqa: FBT003 # the end
    yield from reader.found


def _parser(reader: Any, most: int) -> expat.XMLParserType:  # noqa: ANN401 # as above
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    count = 0

    def start(name: str, said: Attributes) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise _too_large(f"no part of a workbook has over {most} elements")
        reader.start(_local(name), {_local(key): value for key, value in said.items()})

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: reader.end(_local(name))
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a workbook has no document type")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _too_large(why: str) -> MalformedError:
    return MalformedError("body_too_large", why)
