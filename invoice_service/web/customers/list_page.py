"""The page on which many slips are checked at once: a list is pasted or sent, without script."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from io import BytesIO
from typing import IO, Any, Final, NamedTuple, Protocol

from flask import Blueprint, Response, request

from chain.errors import MalformedError, Problem
from invoice_service.domain.verdict import Verdict, Verification
from invoice_service.openapi.operation import FORM, XLSX
from invoice_service.web.customers.words import NO_VERDICT, Words, words_of
from invoice_service.web.ground.language import detail_of
from invoice_service.web.ground.page import page

PATH: Final = "/verify/list"
FIELDS: Final = ("list", "text")
MOST_SHOWN: Final = 1000
"""Rows of the page; the workbook has all of them."""

MOST_SAID: Final = 80
"""Characters of a line that was not checked."""

_NOBODYS: Final = frozenset({Verdict.MISMATCH, Verdict.UNKNOWN})

Write = Callable[[int, Verification | Problem], "Row"]


class Listed(Protocol):
    """A list that is being checked."""

    def each(self, where: str, write: Write) -> Iterator["Row"]:
        """What ``write`` makes of each of its lines."""
        ...

    def said(self, numbers: Collection[int]) -> dict[int, bytes]:
        """What was sent in these lines, once ``each`` is through."""
        ...

    def close(self) -> None:
        """Let the list go."""
        ...


class PageLists(Protocol):
    """Checks lists, and makes workbooks of what came out."""

    def open(self, name: str, body: IO[bytes]) -> Any:  # noqa: ANN401 # a Listed of its own kind
        """The list in a file of this name, or a pasted one: ""."""
        ...

    def workbook(self, asked: Any) -> bytes:  # noqa: ANN401 # the same
        """The results as .xlsx."""
        ...


class Row(NamedTuple):
    """One line of the list: what it came to, and what to show of it.

    ``before`` is the first line with the same hash, and ``again`` whether it came to the same.
    """

    line: int
    before: int | None
    words: Words
    result: Verification | None
    problem: Problem | None
    again: bool = False

    @property
    def same(self) -> bool:
        """Whether it is the invoice of the line before: an altered slip is nobody's."""
        return self.again and self.result is not None and self.result.verdict not in _NOBODYS


def list_blueprint(lists: PageLists, title: Callable[[Problem], str], most: int) -> Blueprint:
    """``/verify/list``; ``most`` bytes are taken, ``title`` says what a problem is."""
    blueprint = Blueprint("list_page", __name__)
    blueprint.add_app_template_filter(title, "title_of")
    blueprint.add_app_template_filter(detail_of)

    @blueprint.get(PATH)
    def show() -> Response:
        return page("customers/list.html", rows=None)

    @blueprint.post(PATH)
    def check() -> Response:
        request.max_content_length = most
        asked = lists.open(*_sent())
        try:
            if request.form.get("as") == "xlsx":
                return _download(lists.workbook(asked))
            return _results(list(asked.each(f"POST {PATH}", Rows().row)), asked)
        finally:
            asked.close()

    return blueprint


def _sent() -> tuple[str, IO[bytes]]:
    """(file's name, content), or what was pasted, under the name "".

    MalformedError for a form without either, and ``several_lists``: none is chosen.
    """
    if request.mimetype != FORM:
        raise MalformedError("unsupported_media_type", f"send {FORM}")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise MalformedError("unsupported_encoding", "send the body uncompressed")
    lists = list(_lists())
    if not lists:
        raise MalformedError("empty_body", "choose a file, or paste codes, one a line")
    if len(lists) > 1:
        raise MalformedError("several_lists", f"{len(lists)} lists are in the form: send one")
    return lists[0]


def _lists() -> Iterator[tuple[str, IO[bytes]]]:
    """All lists of the form, whichever of its two fields they are in."""
    for name in FIELDS:
        for file in request.files.getlist(name):
            if file.filename:
                yield file.filename, file.stream
        for text in request.form.getlist(name):
            if text.strip():
                yield "", BytesIO(text.encode())


class Rows:
    """Makes the rows of one list, and remembers on which line each hash stood first."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, Verdict | None], int] = {}

    def row(self, line: int, result: Verification | Problem) -> Row:
        if isinstance(result, Problem):
            return Row(line, None, NO_VERDICT, None, result)
        first = self._first.setdefault((result.hash, None), line)
        alike = self._first.setdefault((result.hash, result.verdict), line)
        before = first if alike == line else alike
        shown = None if before == line else before
        return Row(line, shown, words_of(result), result, None, again=alike != line)


def _results(rows: list[Row], asked: Listed) -> Response:
    shown = rows[:MOST_SHOWN]
    said = asked.said({row.line for row in shown if row.problem})
    return page(
        "customers/list.html",
        rows=shown,
        all=len(rows),
        counts=Counter(row.words for row in rows),
        again=Counter(row.words for row in rows if row.again),
        said={line: _shortened(text) for line, text in said.items()},
    )


def _shortened(said: bytes) -> str:
    """The beginning of a line, without what cannot be seen or turns the writing round."""
    text = said.decode("utf-8", "replace")
    plain = "".join(sign if sign.isprintable() else " " for sign in text[: MOST_SAID + 1]).strip()
    return f"{plain[:MOST_SAID]}…" if len(text) > MOST_SAID else plain


def _download(workbook: bytes) -> Response:
    answer = Response(workbook, content_type=XLSX)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Disposition"] = 'attachment; filename="verifications.xlsx"'
    return answer
