"""The manifest of what was taken along, and all of it with its manifest in one package.

A manifest says what was asked, by whom and when, at which block, how many rows there are, what of
them can be made again from the log and what cannot, and the SHA-256 of each file, by what follows
the name that all of them have (``csv``; of several tables ``months.csv``). It has the members of a
manifest of totals, but for the sums.
"""

import io
import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

from chain.errors import MalformedError
from chain.hashing import sha256_of_parts, sha256_state
from invoice_service.documents.spreadsheet import NO_TIME
from invoice_service.documents.taken import (
    VERSION,
    Row,
    Table,
    Taken,
    notes_of,
    taken_csv,
    taken_json,
    taken_workbook,
)

HELD: Final = 8 << 20
"""Bytes of rows that stay in memory while they are read at once; more go to a file without name."""

_LENGTH: Final = struct.Struct(">I")
_HUGE: Final = 1_000_000
"""Rows from which a part of a package may have more than two gibibytes, and needs longer fields."""
_SENT_AT: Final = 1 << 16  # bytes
_write: Final = msgspec.json.Encoder(order="deterministic").encode
_pack: Final = msgspec.msgpack.Encoder().encode


class Asked(NamedTuple):
    """Who takes something along: as the trail calls them, their name and role; when (RFC 3339)."""

    by: str
    name: str
    role: str
    at: str


class Part(NamedTuple):
    """A file: what follows the common name, and its bytes, made anew each time."""

    ending: str
    made: Callable[[], Iterable[bytes]]


def parts_of(taken: Taken) -> list[Part]:
    """The files of it; of several tables each has its CSV."""
    alone = len(taken.tables) == 1
    return [
        Part("xlsx", lambda: (taken_workbook(taken),)),
        Part("json", partial(taken_json, taken)),
        *(
            Part("csv" if alone else f"{one.name}.csv", partial(taken_csv, one))
            for one in taken.tables
        ),
    ]


def manifest(
    query: Mapping[str, str],
    asked: Asked,
    block: Mapping[str, Any],
    sums: Mapping[str, str],
    members: Mapping[str, Any],
) -> bytes:
    """What all manifests say, and ``members``; ``sums`` are the files' digests, hexadecimal."""
    said = {"version": VERSION, "query": dict(query), "asked": asked._asdict(), "block": block}
    return _write({**said, "sha256": dict(sums), **members})


def taken_manifest(taken: Taken, asked: Asked, block: Mapping[str, Any]) -> bytes:
    """The manifest of these files, each of them made once for it; ``block`` is the newest."""
    counts: dict[str, int] = {}
    with at_once(taken) as one:
        sums = dict(_sums(parts_of(_counted(one, counts))))
        return _manifest(one, asked, block, sums, counts)


def package(taken: Taken, asked: Asked, block: Mapping[str, Any], stem: str) -> Iterator[bytes]:
    """Yield a zip file of all files and their manifest, of one reading; made while it is sent."""
    pipe, huge = _Pipe(), taken.most >= _HUGE
    sums, counts = dict[str, str](), dict[str, int]()
    with at_once(taken) as one, ZipFile(pipe, "w") as archive:
        for part in parts_of(_counted(one, counts)):
            try:
                made = part.made()
            except MalformedError:  # of more rows than a workbook has there is none
                continue
            name = f"{stem}.{part.ending}"
            sums[part.ending] = yield from _packed(archive, pipe, name, made, huge=huge)
        said = (_manifest(one, asked, block, sums, counts),)
        yield from _packed(archive, pipe, f"{stem}.manifest.json", said, huge=False)
    yield pipe.taken()


@contextmanager
def at_once(taken: Taken) -> Iterator[Taken]:
    """The same, its rows read now, and the same for each file that is made of it.

    What stays the same by itself is read again for each: nothing of it is held.
    """
    if taken.most:
        yield taken
        return
    with SpooledTemporaryFile(HELD) as file:
        tables = [table._replace(rows=_spooled(file, table)) for table in taken.tables]
        yield taken._replace(tables=tuple(tables))


def _spooled(file: IO[bytes], table: Table) -> Callable[[], Iterator[Row]]:
    """Write the rows at the end of the file, and return what reads them there."""
    begin = file.seek(0, io.SEEK_END)
    for row in table.rows():
        data = _pack(list(row))
        file.write(_LENGTH.pack(len(data)) + data)
    end = file.tell()

    def rows() -> Iterator[Row]:
        at = begin
        while at < end:
            file.seek(at)  # other tables of the same file may have been read meanwhile
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            yield msgspec.msgpack.decode(file.read(length))
            at += _LENGTH.size + length

    return rows


def _counted(taken: Taken, counts: dict[str, int]) -> Taken:
    """The same, which says how many rows each table has, once they were read to their end."""

    def rows(table: Table) -> Iterator[Row]:
        number = 0
        for row in table.rows():
            number += 1
            yield row
        counts[table.name] = number

    tables = tuple(table._replace(rows=partial(rows, table)) for table in taken.tables)
    return taken._replace(tables=tables)


def _manifest(
    taken: Taken,
    asked: Asked,
    block: Mapping[str, Any],
    sums: Mapping[str, str],
    counts: Mapping[str, int],
) -> bytes:
    tables = {one.name: {"rows": counts[one.name], "basis": one.basis} for one in taken.tables}
    return manifest(
        taken.query,
        asked,
        taken.at.get("block", block),
        sums,
        {
            "what": taken.what,
            "rows": sum(counts.values()),
            "tables": tables,
            "notes": notes_of(table.basis for table in taken.tables),
            **{name: one for name, one in taken.at.items() if name != "block"},
        },
    )


def _sums(parts: Sequence[Part]) -> Iterator[tuple[str, str]]:
    for part in parts:
        with suppress(MalformedError):  # as above
            yield part.ending, sha256_of_parts(part.made()).hex()


class _Pipe(io.RawIOBase):
    """What a zip file is written into, and taken from as it grows: it never turns back."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 # whatever has bytes
        self._held.append(bytes(data))
        self.size += len(data)
        return len(data)

    def taken(self) -> bytes:
        """What was written since."""
        found = b"".join(self._held)
        self._held, self.size = [], 0
        return found


def _packed(
    archive: ZipFile, pipe: _Pipe, name: str, parts: Iterable[bytes], *, huge: bool
) -> Generator[bytes, None, str]:
    """Yield the zip file's next bytes, up to the end of that member; its digest, hexadecimal."""
    state = sha256_state(b"")
    member = ZipInfo(name, NO_TIME.timetuple()[:6])
    member.compress_type = ZIP_DEFLATED
    with archive.open(member, "w", force_zip64=huge) as written:
        for part in parts:
            state.update(part)
            written.write(part)
            if pipe.size >= _SENT_AT:
                yield pipe.taken()
    yield pipe.taken()
    return state.hexdigest()
