"""The public log under ``/log/``, as C2SP tlog-tiles lays it out, and its blocks as JSON."""

import gzip
import re
from pathlib import Path

from flask import Blueprint, Response, request

from chain.block import Block
from chain.entry import format_time
from chain.errors import NotFoundError, UnavailableError
from chain.hashing import sha256
from chain.tree.tiles import parse_tile_path
from invoice_service.api.answers import JSON, OCTETS, json_bytes
from invoice_service.api.parts import Parts, PublicKeys
from invoice_service.api.requests import query, whole_number
from invoice_service.domain.bounds import HIGHEST_BLOCK
from invoice_service.services.checking.acts import count_acts
from invoice_service.services.kept_files import read_plain

TEXT = "text/plain; charset=utf-8"
FRESH = "public, max-age=2"  # tlog-tiles: a few seconds at most
FOREVER = "public, max-age=31536000, immutable"
KEYS = "public, max-age=300"

_COUNTED = re.compile(r"[1-9][0-9]{0,8}")

PAGE = 100
LONGEST_PAGE = 1000


def blueprint(parts: Parts) -> Blueprint:
    """The log's files, its blocks and its keys, for everybody."""
    log, folder, public = parts.log, parts.config.log_dir, parts.keys
    blueprint = Blueprint("log", __name__, url_prefix="/log")
    blueprint.after_request(_for_every_site)
    _add_keys(blueprint, public)
    _add_acts(blueprint, parts)

    @blueprint.get("/checkpoint")
    def checkpoint() -> Response:
        data = _read(folder / "checkpoint", "no_checkpoint", "this log has not been published yet")
        return _public(data, TEXT, FRESH)

    @blueprint.get("/tile/<path:rest>")
    def tile(rest: str) -> Response:
        wanted = parse_tile_path(f"tile/{rest}")
        data = _read(folder / wanted.path(), "no_tile", "this tile is not there (yet)")
        zipped = wanted.level is None and request.accept_encodings.quality("gzip") > 0
        answer = _public(_zip(data) if zipped else data, OCTETS, FOREVER)
        if wanted.level is None:
            answer.headers["Vary"] = "Accept-Encoding"
        if zipped:
            answer.headers["Content-Encoding"] = "gzip"
        return answer

    @blueprint.get("/blocks")
    def blocks() -> Response:
        parameters = query("after", "limit")
        after = whole_number(parameters, "after", 0, HIGHEST_BLOCK, least=0)
        limit = whole_number(parameters, "limit", PAGE, LONGEST_PAGE)
        size = log.latest_checkpoint()[0].size
        found = [block for block in log.blocks(after, limit) if block.size <= size]
        more = found[-1].height if len(found) == limit else None
        page = {"size": size, "blocks": [describe(block) for block in found], "next": more}
        return _public(json_bytes(page), JSON, FRESH)

    @blueprint.get("/blocks/<height>")
    def block(height: str) -> Response:
        wanted = whole_number({"height": height}, "height", 0, HIGHEST_BLOCK)
        found = log.block(wanted)
        if found.size > log.latest_checkpoint()[0].size:
            raise NotFoundError("no_block", f"block {wanted} is not published yet")
        return _public(json_bytes(describe(found)), JSON, FOREVER)

    return blueprint


def _add_keys(blueprint: Blueprint, public: PublicKeys) -> None:
    @blueprint.get("/key")
    def key() -> Response:
        known = public.keys()
        lines = f"{known.signing[0].text()}\n{known.promise[-1].text()}\n"
        return _public(lines.encode(), TEXT, KEYS)

    @blueprint.get("/keys")
    def signed_keys() -> Response:
        return _public(public.note(public.numbers()[-1]), TEXT, KEYS)

    @blueprint.get("/keys/<number>")
    def key_statement(number: str) -> Response:
        if not _COUNTED.fullmatch(number):
            raise NotFoundError("no_statement", "statements are counted from 1")
        return _public(public.note(int(number)), TEXT, FOREVER)


def _add_acts(blueprint: Blueprint, parts: Parts) -> None:
    @blueprint.get("/acts")
    def acts() -> Response:
        query()
        found = count_acts(parts.store, parts.log)
        body = {**found._asdict(), "total": found.total()}
        return _public(json_bytes(body), JSON, FRESH)


def describe(block: Block) -> dict[str, object]:
    """A block as its own page shows it; digests in hex, ``root`` is the tree's after its seal."""
    return {
        "height": block.height,
        "first": block.first,
        "count": block.count,
        "seal_index": block.seal_index,
        "seal": block.seal.hex(),
        "size": block.size,
        "root": block.root.hex(),
        "sealed_at": format_time(block.sealed_at),
    }


def _read(path: Path, code: str, detail: str) -> bytes:
    try:
        data = read_plain(path)
    except OSError as error:
        raise UnavailableError(
            "log_unreadable", f"the log cannot be read: {error.strerror}"
        ) from None
    if data is None:
        raise NotFoundError(code, detail)
    return data


def _zip(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=6, mtime=0)  # the same bytes give the same ETag


def _for_every_site(answer: Response) -> Response:
    """Let a page of another site read it, errors too: else it cannot tell missing from broken."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _public(data: bytes, kind: str, cache: str) -> Response:
    """Bytes that anybody may copy and keep."""
    answer = Response(data, content_type=kind)
    answer.headers["Cache-Control"] = cache
    answer.set_etag(sha256(data).hex()[:32])
    answer.make_conditional(request.environ)
    return answer
