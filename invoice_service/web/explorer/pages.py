"""``/explorer``: the log for everybody, as pages and as JSON at the same addresses.

Nothing here says who or how much: what is shown stands in the log's own files.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, Literal

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug import Response as AnyResponse

from chain.entry import closing_key, format_time, parse_day
from chain.errors import MalformedError, NotFoundError
from invoice_service.domain.bounds import HIGHEST_BLOCK
from invoice_service.openapi.operation import TEXT
from invoice_service.services.checking.acts import ActCounts
from invoice_service.services.explorer import BLOCKS_A_PAGE, Explorer, fields_of
from invoice_service.web.explorer.asked import Asked, asked
from invoice_service.web.explorer.contract import ActsView, FoundPlace, SearchView
from invoice_service.web.explorer.told import (
    FOREVER,
    FRESH,
    KEYS,
    VARY_PAGE,
    as_page,
    for_every_site,
    kept,
    told,
    wants_json,
)
from invoice_service.web.explorer.words import ACTS, KINDS, STATES, UNSAID
from invoice_service.web.ground.page import asked_once, page

NAME: Final = "explorer"
PREFIX: Final = "/explorer"

ANYWHERE: Final = ("https:", "http://127.0.0.1:*", "http://localhost:*")
"""Where copies may be: mirrors whose addresses nobody knows beforehand, also the reader's own."""

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


class ExplorerPages:
    """The routes over the views of one log."""

    def __init__(
        self, explorer: Explorer, acts: Callable[[int], ActCounts], public_url: str
    ) -> None:
        """``acts`` counts those among the log's first so many entries."""
        self._log, self._acts = explorer, acts
        self._reached = ANYWHERE if public_url.startswith("https:") else (*ANYWHERE, "http:")

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint(NAME, __name__, url_prefix=PREFIX)
        routes.after_request(for_every_site)
        routes.get("/")(self.overview)
        routes.get("/blocks")(self.blocks)
        routes.get("/blocks/<height>")(self.block)
        routes.get("/entries/<index>")(self.entry)
        routes.get("/entries/<index>/proof")(self.proof)
        routes.get("/closings")(self.closings)
        routes.get("/closings/<day>")(self.closing)
        routes.get("/keys")(self.keys)
        routes.get("/acts")(self.acts)
        routes.get("/search")(self.search)
        routes.get("/compare")(self.compare)
        return routes

    def overview(self) -> Response:
        """How large the log is, and who has seen it."""
        view = self._log.overview()
        recent = None if wants_json(request) else self._log.blocks(None).blocks[:5]
        return told(view, "explorer/overview.html", FRESH, recent=recent)

    def blocks(self) -> Response:
        """A page of blocks, the newest first."""
        view = self._log.blocks(_number_asked("before"))
        return told(view, "explorer/blocks.html", FRESH, a_page=BLOCKS_A_PAGE)

    def block(self, height: str) -> Response:
        """One block, and a page of its entries."""
        wanted = _number_in(height, "no_block", "blocks are counted from 1")
        view = self._log.block(wanted, _number_asked("from"))
        last = self._log.has_block(wanted + 1)
        return told(view, "explorer/block.html", FOREVER, kinds=KINDS, more=last)

    def entry(self, index: str) -> Response:
        """One entry, byte by byte."""
        wanted = _number_in(index, "no_entry", "entries are counted from 0")
        view = self._log.entry(wanted)
        said = {} if wants_json(request) else fields_of(view.entry.encode())
        return told(
            view,
            "explorer/entry.html",
            FOREVER,
            kinds=KINDS,
            act=ACTS.get(said.get("type", "")) if view.kind == "act" else None,
            said=said,
            taken_back=self._index_of(said.get("reverses")),
        )

    def proof(self, index: str) -> Response:
        """C2SP tlog-proof of one entry under the newest checkpoint."""
        wanted = _number_in(index, "no_entry", "entries are counted from 0")
        return kept(self._log.proof(wanted), TEXT, FRESH)

    def closings(self) -> Response:
        """A page of days, the newest first."""
        before = asked_once("before")
        try:
            view = self._log.closings(None if before is None else parse_day(before))
        except MalformedError:
            detail = "before is a day, written YYYY-MM-DD"
            raise MalformedError("parameter_malformed", detail, pointer="before") from None
        return told(view, "explorer/closings.html", FRESH)

    def closing(self, day: str) -> Response:
        """The closing of one day."""
        return told(self._log.closing(day), "explorer/closing.html", FOREVER)

    def keys(self) -> Response:
        """The log's keys, and what it said of them."""
        view = self._log.known_keys(_number_asked("before"))
        return told(view, "explorer/keys.html", KEYS, states=STATES)

    def acts(self) -> Response:
        """How much the tax office has decided, by kind; as of a block the same for ever."""
        asked_for = _number_asked("block")
        block = self._log.as_of(asked_for)
        found = self._acts(block.size if block else 0)
        view = ActsView(
            origin=found.origin,
            block=block.height if block else 0,
            sealed_at=format_time(block.sealed_at) if block else None,
            size=found.size,
            total=found.total(),
            counts=found.counts,
        )
        cache = FRESH if asked_for is None else FOREVER
        return told(view, "explorer/acts.html", cache, kinds=ACTS, held=asked_for is not None)

    def search(self) -> AnyResponse:
        """What somebody looks for; a page goes right there, where it can only be one thing."""
        text = (asked_once("q") or "").strip()
        meant = asked(text) if text else Asked()
        view = SearchView(found=list(self._places(meant)), unsaid=meant.unsaid)
        if wants_json(request):
            return told(view, "", FRESH)
        if len(view.found) == 1 and not meant.unsaid:
            answer = redirect(view.found[0].address, 303)
            answer.headers["Cache-Control"] = "no-store"
            answer.headers["Vary"] = VARY_PAGE
            return answer
        shown = "" if meant.unsaid == "password_area" else text[:200]
        return told(view, "explorer/search.html", FRESH, text=shown, why=UNSAID.get(meant.unsaid))

    def compare(self) -> Response:
        """A page that compares two copies of the log in the reader's browser."""
        known = self._log.keys
        return as_page(
            page(
                "explorer/compare.html",
                log_key=known.keys().signing[0].text(),
                statements=[known.note(number).decode() for number in known.numbers()],
                reached=self._reached,
            )
        )

    def _places(self, meant: Asked) -> Iterator[FoundPlace]:
        number, log = meant.number, self._log
        if number is not None and log.has_block(number):
            yield _place("block", height=number)
        if number is not None and log.has_entry(number):
            yield _place("entry", index=number)
        index = None if meant.anchor is None else log.find(meant.anchor)
        if index is not None:
            yield _place("entry", index=index)
        if meant.day and log.find(closing_key(meant.day)) is not None:
            yield _place("closing", day=meant.day)

    def _index_of(self, anchor: object) -> int | None:
        """Where the entry stands whose document another takes back."""
        return self._log.find(bytes.fromhex(anchor)) if isinstance(anchor, str) else None


def _place(what: Literal["block", "entry", "closing"], **values: str | int) -> FoundPlace:
    return FoundPlace(what=what, address=url_for(f"{NAME}.{what}", **values))  # type: ignore[arg-type] # all are parts of the address


def _number_in(text: str, code: str, detail: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise NotFoundError(code, detail)
    return int(text)


def _number_asked(name: str) -> int | None:
    text = asked_once(name)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) and int(text) <= HIGHEST_BLOCK:
        return int(text)
    detail = f"{name} is a whole number up to {HIGHEST_BLOCK}"
    raise MalformedError("parameter_malformed", detail, pointer=name)
