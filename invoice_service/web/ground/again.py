"""A page that answers a form, in the other language: with what was typed, and nothing is done.

The switch of such a page sends along what the page shows: what was typed, never what is secret, and
the code of what was wrong. ``/language`` has the browser send it on (307) to the page itself, where
it is a look: at the page with its form, whatever that was sent to, or at the answer to a question
that changes nothing. Files are in no page; that they are to be chosen anew is said.

Only a page of ours may have another one shown with its fields filled in: else somebody's site could
put words into the form of whoever comes from there. A browser says where a request comes from
(``Sec-Fetch-Site``); of one that does not, the form's token does, as for every form behind a
sign-in. Without either the page is shown with empty fields, and says so.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus

from flask import Flask, current_app, g, request
from werkzeug.exceptions import HTTPException

from chain.errors import Problem, RefusedError
from invoice_service.openapi.operation import FIELDS, FORM

FIELD: Final = "again"
"""Of the switch: what is looked at, the page with its form, or the answer to the same question."""
MODES: Final = ("form", "answer")

_OURS: Final = ("same-origin", "none")
_ASKED: Final = re.compile(rb"(?:(.*)&)?again=(form|answer)")
_TYPED: Final = "typed."
_WRONG, _WHERE, _OWN = "wrong", "where", "own"
_FILES, _LONG, _UNPROVED = "files", "long", "unproved"
_SECRET: Final = frozenset({"password", "pin", "code", "new", "old", "mine", "form"})
_TEXTS: Final = ("login", "onward", "receipt", "said", "text")
"""What pages show again under a name of its own; all of it is judged anew when it is sent."""
_ROOM: Final = 60_000
"""Bytes of all that goes along, as forms are written: a form is read up to 65,536."""
_STATE: Final = "fapiao_again"


class Again(NamedTuple):
    """What a page is shown with again; ``wrong`` as templates have it, None for nothing.

    ``left`` is what was left behind: ``files``, ``long`` texts, or all, which was ``unproved``.
    """

    typed: Mapping[str, str]
    wrong: Mapping[str, Any] | None
    left: Collection[str]


class Switch(NamedTuple):
    """What the switch sends along."""

    mode: str
    fields: tuple[tuple[str, str], ...]


def look_again(app: Flask, title: Callable[[Problem], str], is_own: Callable[[str], bool]) -> None:
    """Have what a switch sends to a page be a look at it.

    ``title`` says what a code means, ``is_own`` whether a form's token is this browser's.
    """

    @app.before_request
    def look() -> None:
        found = _ASKED.fullmatch(request.query_string)
        if found is None or request.method != "POST" or request.mimetype != FIELDS:
            return
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None and site not in _OURS:
            return
        request.query_string = found[1] or b""
        proved = site is not None or is_own(request.form.get(_OWN, ""))
        sent = _sent(title)
        g.setdefault(
            _STATE, sent if proved else Again({}, None, (_UNPROVED,) if sent.typed else ())
        )
        if found[2] == b"form":
            _as_look()


def address(back: str, mode: str) -> str:
    """Where a look of that mode at a page of ours is asked for."""
    return f"{back}{'&' if '?' in back else '?'}{FIELD}={mode}"


def shown(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a page, with what it is shown with again, and with what its switch sends."""
    again: Again | None = g.get(_STATE)
    if again is not None:
        found = values.get("typed")
        if isinstance(found, Mapping) and not any(found.values()):
            values["typed"] = again.typed
        for name in _TEXTS:
            if name in again.typed and (name == "onward" or not values.get(name)):
                values[name] = again.typed[name]
        values["problem"] = values.get("problem") or again.wrong
    if again is not None or request.method == "POST":
        values["switch"] = _switch(values)
    values["left_behind"] = again.left if again is not None else ()
    return values


def _switch(values: Mapping[str, Any]) -> Switch | None:
    """None where a plain look does: nothing was typed, and nothing was wrong."""
    asks: Mapping[str, str] | None = values.get("asks")
    typed = [one for one in _typed(values) if one[0].removeprefix(_TYPED) not in (asks or {})]
    kept = list(_fitting(typed))
    fields = [*kept, *_wrong(values.get("problem"))]
    if not fields and asks is None:
        return None
    again: Again | None = g.get(_STATE)
    left = again.left if again is not None else ()
    if request.mimetype == FORM or _FILES in left:
        fields.append((_FILES, "yes"))
    if len(kept) < len(typed) or _LONG in left:
        fields.append((_LONG, "yes"))
    if values.get("form_token"):
        fields.append((_OWN, values["form_token"]))
    mode = "form" if asks is None else "answer"
    return Switch(mode, (*(asks or {}).items(), *fields))


def _typed(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    found = values.get("typed")
    typed = dict(found) if isinstance(found, Mapping) else {}
    typed |= {name: values[name] for name in _TEXTS if values.get(name)}
    for name, text in typed.items():
        if name not in _SECRET and isinstance(text, str) and text:
            yield f"{_TYPED}{name}", text


def _fitting(fields: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Those for which there is room, the first before the others."""
    room = _ROOM
    for name, text in fields:
        size = len(name) + len(quote_plus(text, errors="replace")) + 2
        if size <= room:
            room -= size
            yield name, text


def _wrong(problem: object) -> Iterator[tuple[str, str]]:
    if isinstance(problem, Mapping) and problem.get("code"):
        yield _WRONG, str(problem["code"])
        yield _WHERE, str(problem.get("pointer") or "")


def _sent(title: Callable[[Problem], str]) -> Again:
    form = request.form
    typed = {
        name.removeprefix(_TYPED): text
        for name, text in form.items()
        if name.startswith(_TYPED) and name.removeprefix(_TYPED) not in _SECRET
    }
    wrong, code, where = None, form.get(_WRONG, ""), form.get(_WHERE, "")
    if code:
        said = title(RefusedError(code, ""))
        wrong = {"code": code, "pointer": where, "title": said, "detail": ""}
    return Again(typed, wrong, [name for name in (_FILES, _LONG) if name in form])


def _as_look() -> None:
    """Go on as if the page had been asked for; what is no page is answered as ever."""
    try:
        rule, found = current_app.create_url_adapter(request).match(  # type: ignore[union-attr] # within a request
            method="GET", return_rule=True
        )
    except HTTPException:
        return
    request.method = "GET"
    request.url_rule, request.view_args, request.routing_exception = rule, dict(found), None
