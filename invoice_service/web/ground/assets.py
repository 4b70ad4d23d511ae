"""Files that pages load: named by their digest, kept by browsers for a year, sent compressed.

``css/site.css`` is at ``css/site.<digest>.css``. A page that somebody's phone has kept asks by a
digest of before an update, and is given the file as it is now, not to be kept; so is whoever asks
by the plain name. Below a folder that is named by the digest of all files, modules find each other
without a map, which workers have not. A process serves what it started with, from memory: one that
is being updated does not mix two versions.
"""

import re
from collections.abc import Iterator
from functools import cache, cached_property
from gzip import compress
from pathlib import Path, PurePosixPath
from typing import Final

from flask import Flask, Response, request

from chain.errors import NotFoundError
from chain.hashing import sha256

DIGITS: Final = 16
YEAR: Final = "public, max-age=31536000, immutable"
ALONE: Final = "default-src 'none'; script-src 'self'; connect-src 'self'"
"""What a script may do where it runs as a worker, which goes by no page's policy."""
AGAIN: Final = "no-cache"  # kept, but asked for again each time
KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",
}
PICTURES: Final = frozenset({".png"})
"""What is compressed already."""

_NAMED: Final = re.compile(rf"(.+)\.([0-9a-f]{{{DIGITS}}})(\.[a-z]+)")
_VERSIONED: Final = re.compile(rf"([0-9a-f]{{{DIGITS}}})/(.+)")
_IMPORTED: Final = re.compile(
    r"""^(?:import|export)\b(?:[^;"'()]*\bfrom)?\s*["'](\.[^"']+)["']""", re.MULTILINE
)


class Asset:
    """One file."""

    def __init__(self, name: str, body: bytes) -> None:
        self.name = PurePosixPath(name)
        self.body = body
        self.digest = sha256(body).hex()[:DIGITS]
        self.kind = KINDS[self.name.suffix]

    @cached_property
    def packed(self) -> bytes:
        """Compressed; made when it is first asked for."""
        return compress(self.body, 9, mtime=0)

    @property
    def packs(self) -> bool:
        """Whether compressing it is of use."""
        return self.name.suffix not in PICTURES


class Assets:
    """All files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            name: Asset(name, path.read_bytes())
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in KINDS
            for name in [path.relative_to(folder).as_posix()]
        }
        whole = "".join(f"{name} {file.digest}\n" for name, file in self._files.items())
        self.version = sha256(whole.encode()).hex()[:DIGITS]

    def address(self, name: str) -> str:
        """The name with the file's digest in it; KeyError for what is not there."""
        file = self._files[name]
        stem, suffix = name.removesuffix(file.name.suffix), file.name.suffix
        return f"{stem}.{file.digest}{suffix}" if suffix else name

    def versioned(self, name: str) -> str:
        """The address of a file below the folder that is named by all of them."""
        return f"{self.version}/{name}"

    def find(self, address: str) -> tuple[Asset, bool]:
        """The file at an address, and whether the digest in it is that of the file, or of all.

        NotFoundError ``no_such_address``.
        """
        if below := _VERSIONED.fullmatch(address):
            return self._plainly(below[2]), below[1] == self.version
        named = _NAMED.fullmatch(address)
        file = self._plainly(f"{named[1]}{named[3]}" if named else address)
        return file, named is not None and named[2] == file.digest

    def _plainly(self, name: str) -> Asset:
        file = self._files.get(name)
        if file is None:
            raise NotFoundError("no_such_address", "no file of ours has this name")
        return file

    def below(self, folder: str) -> list[str]:
        """The names of all files in a folder."""
        return [name for name in self._files if name.startswith(f"{folder}/")]

    def modules(self, name: str) -> list[str]:
        """A module and all that it loads, in the order in which they are met."""
        found: dict[str, None] = {}
        waiting = [name]
        while waiting:
            module = waiting.pop(0)
            if module not in found:
                found[module] = None
                waiting += self._imports(module)
        return list(found)

    def _imports(self, name: str) -> Iterator[str]:
        file = self._files[name]
        for relative in _IMPORTED.findall(file.body.decode()):
            yield _plain(file.name.parent / relative)


def _plain(path: PurePosixPath) -> str:
    """``a/../b`` as ``b``."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


@cache
def assets_of(folder: Path) -> Assets:
    """A folder's files, read once in a process."""
    return Assets(folder)


def serve(app: Flask, folder: Path) -> Assets:
    """Have an application serve a folder's files below ``/static/``, and name them by digests."""
    assets = assets_of(folder)

    def static(filename: str) -> Response:
        file, current = assets.find(filename)
        return _answer(file, kept=current)

    @app.url_defaults
    def name(endpoint: str, values: dict[str, str]) -> None:
        if endpoint == "static":
            values["filename"] = assets.address(values["filename"])

    app.add_url_rule("/static/<path:filename>", "static", static)
    return assets


def _answer(file: Asset, *, kept: bool) -> Response:
    packed = file.packs and request.accept_encodings.quality("gzip") > 0
    answer = Response(file.packed if packed else file.body, content_type=file.kind)
    answer.headers["Cache-Control"] = YEAR if kept else AGAIN
    answer.headers["Vary"] = "Accept-Encoding"
    if file.name.suffix == ".js":
        answer.headers["Content-Security-Policy"] = ALONE
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.set_etag(f"{file.digest}-gzip" if packed else file.digest)
    return answer.make_conditional(request)  # type: ignore[return-value] # it is the same one
